/* reply.c - answers, built from the tree's structs and sent by our own writev.
 *
 * libfuse's reply functions would copy the iovec of a READ to malloc'ed memory,
 * and know nothing of requests that they did not decode; so only its request is
 * given back here, and the bytes are ours.
 *
 * The kernel may keep names, attributes and the absence of names for ever: the
 * mount is the only way to them.  Attributes of directories are the exception
 * (request.h).
 */
#include "request.h"

#include "libfuse.h"
#include "log.h"
#include "session.h"

#include <errno.h>
#include <string.h>

void reply_none(struct request *rq)
{
    if (rq->decoding)
        fuse_reply_none(rq->decoding);
    rq->decoding = NULL;
}

static int send_reply(struct request *rq, int error, struct iovec *iov,
                      int count)
{
    struct fuse_out_header out = { .error = error,
                                   .unique = request_header(rq)->unique };
    size_t bytes = sizeof(out);
    int err;

    for (int i = 1; i < count; i++)
        bytes += iov[i].iov_len;
    out.len = (uint32_t)bytes;
    iov[0] = (struct iovec){ &out, sizeof(out) };
    err = session_send(rq->session, rq, iov, count);
    if (rq->session->debug)
        log_debug("   unique: %llu, error: %d, outsize: %u%s",
                  (unsigned long long)out.unique, error, out.len,
                  err ? ", not taken" : "");
    reply_none(rq);
    return err;
}

int reply_iov(struct request *rq, struct iovec *iov, int count)
{
    return send_reply(rq, 0, iov, count);
}

int reply_error(struct request *rq, int error)
{
    struct iovec iov[1];

    return send_reply(rq, error, iov, 1);
}

int reply_data(struct request *rq, const void *data, size_t bytes)
{
    struct iovec iov[2] = { { NULL, 0 }, { (void *)(uintptr_t)data, bytes } };

    return send_reply(rq, 0, iov, bytes ? 2 : 1);
}

static void fill_attr(struct fuse_attr *out, const struct tree_attr *attr)
{
    *out = (struct fuse_attr){
        .ino = attr->ino,
        .size = attr->size,
        .blocks = attr->blocks,
        .atime = (uint64_t)attr->atime.tv_sec,
        .mtime = (uint64_t)attr->mtime.tv_sec,
        .ctime = (uint64_t)attr->ctime.tv_sec,
        .atimensec = (uint32_t)attr->atime.tv_nsec,
        .mtimensec = (uint32_t)attr->mtime.tv_nsec,
        .ctimensec = (uint32_t)attr->ctime.tv_nsec,
        .mode = attr->mode,
        .nlink = attr->nlink,
        .uid = attr->uid,
        .gid = attr->gid,
        .rdev = attr->rdev,
        .blksize = PAGE_SIZE,
    };
}

uint64_t reply_attr_valid(const struct request *rq, mode_t mode)
{
    if (S_ISDIR(mode))
        return REPLY_A_WHILE;
    return S_ISREG(mode) && !writeback_is_plentiful(&rq->session->writeback)
               ? 0 : REPLY_FOR_EVER;
}

/* The file may be cached, and no notice reaches it before this answer. */
static uint64_t attr_valid_sure(const struct request *rq, mode_t mode)
{
    return S_ISREG(mode) && writeback_is_on(&rq->session->writeback)
               ? 0 : reply_attr_valid(rq, mode);
}

void reply_fill_entry(const struct request *rq, struct fuse_entry_out *out,
                      const struct tree_entry *entry)
{
    *out = (struct fuse_entry_out){
        .nodeid = entry->id,
        .generation = entry->generation,
        .entry_valid = REPLY_FOR_EVER,
        .attr_valid = reply_attr_valid(rq, entry->attr.mode),
    };
    fill_attr(&out->attr, &entry->attr);
}

/* The kernel will not forget a node it was never told of. */
static int handed_over(struct request *rq, const struct tree_entry *entry,
                       int err)
{
    if (err)
        tree_forget(rq->session->tree, entry->id, 1);
    return err;
}

int reply_entry(struct request *rq, const struct tree_entry *entry)
{
    struct fuse_entry_out out = { .entry_valid = REPLY_FOR_EVER };

    if (!entry)
        return reply_data(rq, &out, sizeof(out));
    reply_fill_entry(rq, &out, entry);
    return handed_over(rq, entry, reply_data(rq, &out, sizeof(out)));
}

static int attr_for(struct request *rq, const struct tree_attr *attr,
                    uint64_t valid)
{
    struct fuse_attr_out out = { .attr_valid = valid };

    fill_attr(&out.attr, attr);
    return reply_data(rq, &out, sizeof(out));
}

int reply_attr(struct request *rq, const struct tree_attr *attr)
{
    return attr_for(rq, attr, reply_attr_valid(rq, attr->mode));
}

int reply_attr_set(struct request *rq, const struct tree_attr *attr)
{
    return attr_for(rq, attr, attr_valid_sure(rq, attr->mode));
}

int reply_open(struct request *rq, uint64_t handle, uint32_t open_flags)
{
    struct fuse_open_out out = { .fh = handle, .open_flags = open_flags };

    return reply_data(rq, &out, sizeof(out));
}

int reply_create(struct request *rq, const struct tree_entry *entry,
                 uint64_t handle, uint32_t open_flags)
{
    struct {
        struct fuse_entry_out entry;
        struct fuse_open_out open;
    } out = { .open = { .fh = handle, .open_flags = open_flags } };

    reply_fill_entry(rq, &out.entry, entry);
    out.entry.attr_valid = attr_valid_sure(rq, entry->attr.mode);
    return handed_over(rq, entry, reply_data(rq, &out, sizeof(out)));
}
