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

/* To the object `all`: a number that has its name in the ABI. */
#define ADD(of, field) add_number(all, #field, (of)->field)

static void add_name(struct json_object *to, const char *name,
                     const char *value, size_t room)
{
    size_t length = strnlen(value, room);

    json_object_object_add(to, name,
                           json_object_new_string_len(value, (int)length));
}

#define ADD_NAME(of, field) \
    add_name(all, #field, (of)->field, sizeof((of)->field))

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
    ADD(stat, uptime_ns);
    ADD_NAME(stat, transport);
    ADD_NAME(stat, swap_engine);
    ADD_NAME(stat, replacement);
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
    ADD(frag, files);
    ADD(frag, pages);
    ADD(frag, pairs);
    ADD(frag, breaks);
    ADD(frag, slots);
    ADD(frag, runs);
    ADD(frag, blocks_free);
    ADD(frag, free_runs);
    ADD(frag, largest_run);
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
    ADD(verify, files);
    ADD(verify, blocks);
    ADD(verify, passes);
    ADD(verify, data_charged);
    ADD(verify, data_pages);
    ADD(verify, metadata_charged);
    ADD(verify, metadata_frames);
    ADD(verify, paused_ns);
    ADD(verify, findings);
    for (uint64_t i = 0; i < verify->findings && i < PAGERFS_FINDINGS; i++)
        json_object_array_add(list, json_finding(&verify->finding[i]));
    json_object_object_add(all, "found", list);
    return all;
}

static struct json_object *json_area(const struct pagerfs_swap_area *area)
{
    struct json_object *all = json_object_new_object();

    ADD_NAME(area, name);
    json_object_object_add(all, "priority",
                           json_object_new_int64(area->priority));
    json_object_object_add(all, "leaving",
                           json_object_new_boolean(area->leaving != 0));
    ADD(area, blocks_max);
    ADD(area, blocks_backed);
    ADD(area, blocks_used);
    ADD(area, blocks_free);
    ADD(area, blocks_retired);
    return all;
}

struct json_object *json_swaps(const struct pagerfs_swaps *swaps)
{
    struct json_object *all = json_object_new_object();
    struct json_object *list = json_object_new_array();

    add_number(all, "version", PAGERFS_CTL_VERSION);
    add_number(all, "page_size", CTL_PAGE_SIZE);
    for (uint64_t i = 0; i < swaps->nr && i < PAGERFS_SWAP_AREAS; i++)
        json_object_array_add(list, json_area(&swaps->area[i]));
    json_object_object_add(all, "areas", list);
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
