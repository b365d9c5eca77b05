/* ops_dir.c - reading directories.
 *
 * Entries are laid out in the request's own buffer as the kernel wants them.
 * With "plus" each brings its attributes and counts as looked up; if the reply
 * then fails, the buffer itself says what must be forgotten.
 *
 * The kernel caches listings too (FOPEN_CACHE_DIR), and drops them when the
 * directory's mtime has moved.
 */
#include "ops.h"

#include "handle.h"

#include <string.h>

struct listing {
    const struct request *rq;
    uint8_t *at, *end; /* where the next entry goes */
    bool plus;
};

static bool add_entry(void *ctx, const char *name, uint64_t cookie,
                      const struct tree_entry *entry)
{
    struct listing *listing = ctx;
    size_t length = strlen(name);
    size_t head =
        listing->plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;
    size_t bytes = FUSE_DIRENT_ALIGN(head + length);
    struct fuse_direntplus *plus = (void *)listing->at;
    struct fuse_dirent *dirent = listing->plus ? &plus->dirent
                                               : (void *)listing->at;

    if ((size_t)(listing->end - listing->at) < bytes)
        return false;
    if (listing->plus && entry->id != 0)
        reply_fill_entry(listing->rq, &plus->entry_out, entry);
    else if (listing->plus)
        plus->entry_out = (struct fuse_entry_out){ 0 };
    dirent->ino = entry->attr.ino;
    dirent->off = cookie;
    dirent->namelen = (uint32_t)length;
    dirent->type = (entry->attr.mode & S_IFMT) >> 12;
    memcpy(dirent->name, name, length);
    memset(dirent->name + length, 0, bytes - head - length);
    listing->at += bytes;
    return true;
}

static void forget_entries(struct tree *tree, const uint8_t *at,
                           const uint8_t *end)
{
    while (at < end) {
        const struct fuse_direntplus *plus = (const void *)at;

        if (plus->entry_out.nodeid != 0)
            tree_forget(tree, plus->entry_out.nodeid, 1);
        at += FUSE_DIRENTPLUS_SIZE(plus);
    }
}

static void list(fuse_req_t req, uint64_t id, size_t size, uint64_t cookie,
                 uint64_t fh, bool plus)
{
    struct request *rq = session_current(req);
    struct session *session = rq->session;
    struct borrowed borrowed;
    struct tree_scan *scan = handle_borrow_scan(session, fh, id, &borrowed);
    size_t room;
    uint8_t *buffer = request_scratch(session->requests, rq, &room);
    struct listing listing = { .rq = rq, .at = buffer, .end = buffer + MIN(size, room),
                               .plus = plus };
    int err;

    err = tree_readdir(session->tree, scan, cookie, plus, add_entry, &listing);
    handle_return_scan(session, &borrowed);
    if (err) {
        op_result(rq, err);
        return;
    }
    err = reply_data(rq, buffer, (size_t)(listing.at - buffer));
    if (err && plus)
        forget_entries(session->tree, buffer, listing.at);
}

void op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t cookie,
                struct fuse_file_info *fi)
{
    list(req, id, size, (uint64_t)cookie, fi->fh, false);
}

void op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t cookie,
                    struct fuse_file_info *fi)
{
    list(req, id, size, (uint64_t)cookie, fi->fh, true);
}

/* As open_flags of a file. */
static uint32_t scan_flags(struct session *session)
{
    remount_look(&session->remount, session->tree);
    return tree_atime(session->tree) == TREE_STRICTATIME
        ? 0 : FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR;
}

void op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);
    struct session *session = rq->session;
    uint64_t fh;
    int err;

    (void)fi;
    err = handle_open_scan(session, id, rq->may_wait, &fh);
    if (err)
        op_result(rq, err);
    else if (reply_open(rq, fh, scan_flags(session)))
        handle_close(session, HANDLE_SCAN, fh, id);
}

void op_releasedir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);

    handle_close(rq->session, HANDLE_SCAN, fi->fh, id);
    reply_error(rq, 0);
}
