/* json.c - the figures as JSON, for programs.
 *
 * The object is stable: within `version` names keep their meaning, and others
 * may join them.  Numbers are those of the ABI, in its units: pages of
 * `page_size` bytes where a figure counts pages, blocks or frames.
 *
 *     { "version", "page_size", "uptime_ns", "transport", "swap_engine",
 *       "replacement",
 *       "space": { figure: number, ... }, "memory", "swap", "paging" alike,
 *       "requests": { request: number, ... },
 *       "rates": { figure or request: number a second, ... } }   with -w
 */
#include "ctl.h"

#include <json-c/json.h>
#include <string.h>

static void add_number(struct json_object *to, const char *name, uint64_t value)
{
    json_object_object_add(to, name, json_object_new_uint64(value));
}

static void add_name(struct json_object *to, const char *name,
                     const char value[PAGERFS_NAME_BYTES])
{
    size_t length = strnlen(value, PAGERFS_NAME_BYTES);

    json_object_object_add(to, name,
                           json_object_new_string_len(value, (int)length));
}

/* The member of that name, made if it is not there. */
static struct json_object *group_of(struct json_object *of, const char *name)
{
    struct json_object *group;

    if (json_object_object_get_ex(of, name, &group))
        return group;
    group = json_object_new_object();
    json_object_object_add(of, name, group);
    return group;
}

static void add_rate(struct json_object *to, const char *name, uint64_t now,
                     uint64_t before, double seconds)
{
    double rate = seconds > 0 ? (double)(now - before) / seconds : 0;

    json_object_object_add(to, name, json_object_new_double(rate));
}

static void add_rates(struct json_object *to, const struct pagerfs_stat *now,
                      const struct pagerfs_stat *before)
{
    double seconds = (double)(now->uptime_ns - before->uptime_ns) / 1e9;

    for (const struct figure *f = figures; f->name; f++)
        if (f->counter)
            add_rate(to, f->name, figure_of(now, f), figure_of(before, f),
                     seconds);
    for (unsigned op = 0; op < PAGERFS_OPCODES; op++)
        if (figure_request(op))
            add_rate(to, figure_request(op), now->requests[op],
                     before->requests[op], seconds);
}

struct json_object *json_stat(const struct pagerfs_stat *stat,
                              const struct pagerfs_stat *before)
{
    struct json_object *all = json_object_new_object();

    add_number(all, "version", PAGERFS_CTL_VERSION);
    add_number(all, "page_size", CTL_PAGE_SIZE);
    add_number(all, "uptime_ns", stat->uptime_ns);
    add_name(all, "transport", stat->transport);
    add_name(all, "swap_engine", stat->swap_engine);
    add_name(all, "replacement", stat->replacement);
    for (const struct figure *f = figures; f->name; f++)
        add_number(group_of(all, f->group), f->name, figure_of(stat, f));
    for (unsigned op = 0; op < PAGERFS_OPCODES; op++)
        if (figure_request(op))
            add_number(group_of(all, "requests"), figure_request(op),
                       stat->requests[op]);
    if (before)
        add_rates(group_of(all, "rates"), stat, before);
    return all;
}

struct json_object *json_frag(const struct pagerfs_frag *frag)
{
    struct json_object *all = json_object_new_object();

    add_number(all, "version", PAGERFS_CTL_VERSION);
    add_number(all, "files", frag->files);
    add_number(all, "pages", frag->pages);
    add_number(all, "pairs", frag->pairs);
    add_number(all, "breaks", frag->breaks);
    add_number(all, "slots", frag->slots);
    add_number(all, "runs", frag->runs);
    add_number(all, "blocks_free", frag->blocks_free);
    add_number(all, "free_runs", frag->free_runs);
    add_number(all, "largest_run", frag->largest_run);
    return all;
}

static struct json_object *json_finding(const struct pagerfs_finding *finding)
{
    struct json_object *one = json_object_new_object();

    json_object_object_add(one, "what",
                           json_object_new_string(verify_kind(finding->what)));
    if (finding->what < PAGERFS_FOUND_DATA) {
        add_number(one, "block", finding->block);
        add_number(one, "nr", finding->nr);
    }
    if (finding->inode) {
        add_number(one, "inode", finding->inode);
        add_number(one, "page", finding->page);
    }
    return one;
}

struct json_object *json_verify(const struct pagerfs_verify *verify)
{
    struct json_object *all = json_object_new_object();
    struct json_object *list = json_object_new_array();

    add_number(all, "version", PAGERFS_CTL_VERSION);
    add_number(all, "files", verify->files);
    add_number(all, "blocks", verify->blocks);
    add_number(all, "passes", verify->passes);
    add_number(all, "data_charged", verify->data_charged);
    add_number(all, "data_pages", verify->data_pages);
    add_number(all, "metadata_charged", verify->metadata_charged);
    add_number(all, "metadata_frames", verify->metadata_frames);
    add_number(all, "paused_ns", verify->paused_ns);
    add_number(all, "findings", verify->findings);
    for (uint64_t i = 0; i < verify->findings && i < PAGERFS_FINDINGS; i++)
        json_object_array_add(list, json_finding(&verify->finding[i]));
    json_object_object_add(all, "found", list);
    return all;
}

void json_print(FILE *out, struct json_object *object, bool one_line)
{
    fprintf(out, "%s\n",
            json_object_to_json_string_ext(object, one_line
                                               ? JSON_C_TO_STRING_PLAIN
                                               : JSON_C_TO_STRING_PRETTY));
    json_object_put(object);
}
