/* ops_attr.c - attributes of nodes and of the file system. */
#include "ops.h"

#include "bits.h"
#include "handle.h"

#include <linux/fs.h>
#include <sys/sysmacros.h>

/* Of a few milliseconds each, until what was deleted is forgotten. */
enum { STATFS_TRIES = 3 };

/* With a handle that may be a write(2) that wants to know whether there is room
 * (writeback.c): it has to ask again the next time.  A notice sent before the answer
 * does that: what the answer says is then used once, and not remembered.  So the
 * attributes stay called out of date, and do not expire: for the size alone,
 * which it knows better than we, the kernel asks only if they have.  Thus reading
 * at the end of a file, and SEEK_END, are not taken for a write. */
static int ask_room(struct request *rq, uint64_t id)
{
    const struct fuse_getattr_in *in = request_argument(rq);
    struct session *session = rq->session;
    int err = 0;

    if (writeback_is_plentiful(&session->writeback))
        return 0;
    if (in->getattr_flags & FUSE_GETATTR_FH &&
        handle_is_cached(session, in->fh, id))
        err = writeback_ask(&session->writeback);
    if (!err && !writeback_is_plentiful(&session->writeback))
        session_forget_attr(session, id);
    return err;
}

void op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);
    struct tree_attr attr;
    int err = tree_getattr(rq->session->tree, id, &attr);

    (void)fi;
    if (!err && S_ISREG(attr.mode))
        err = ask_room(rq, id);
    if (err)
        op_result(rq, err);
    else
        reply_attr(rq, &attr);
}

static const struct {
    uint32_t fattr;
    unsigned set;
} set_bits[] = {
    { FATTR_MODE, TREE_SET_MODE },
    { FATTR_UID, TREE_SET_UID },
    { FATTR_GID, TREE_SET_GID },
    { FATTR_SIZE, TREE_SET_SIZE },
    { FATTR_ATIME, TREE_SET_ATIME },
    { FATTR_MTIME, TREE_SET_MTIME },
    { FATTR_CTIME, TREE_SET_CTIME },
    { FATTR_ATIME_NOW, TREE_SET_ATIME_NOW },
    { FATTR_MTIME_NOW, TREE_SET_MTIME_NOW },
    { FATTR_KILL_SUIDGID, TREE_SET_KILL_PRIV },
};

static struct timespec time_of(uint64_t seconds, uint32_t nanoseconds)
{
    return (struct timespec){ .tv_sec = (time_t)seconds,
                              .tv_nsec = (long)MIN(nanoseconds, 999999999u) };
}

/* What a set of FATTR bits asks for.  Two things the kernel says between the
 * lines.  Nothing at all, or a ctime alone, is a chown(2) to nobody, which still
 * takes set-id bits away, or a write that is to come.  And a size that comes with an open file is
 * ftruncate(2), which moves the times even if the size stays, as truncate(2) does
 * not; with a writeback cache it brings them. */
static unsigned set_of(uint32_t valid, bool opened)
{
    unsigned set = 0;

    for (size_t i = 0; i < ARRAY_SIZE(set_bits); i++)
        if (valid & set_bits[i].fattr)
            set |= set_bits[i].set;
    if (valid & FATTR_SIZE && opened && !(valid & FATTR_MTIME))
        set |= TREE_SET_MTIME_NOW;
    return set & ~(unsigned)TREE_SET_CTIME ? set : set | TREE_SET_OWNER_KEPT;
}

/* The message is decoded here: libfuse 3.14 names the bits of `to_set`
 * wrongly, and takes FATTR_FH out of them. */
void op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *unused, int to_set,
                struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);
    const struct fuse_setattr_in *in = request_argument(rq);
    struct tree_cred cred = request_cred(rq, 0);
    struct tree_attr attr = {
        .size = in->size,
        .atime = time_of(in->atime, in->atimensec),
        .mtime = time_of(in->mtime, in->mtimensec),
        .ctime = time_of(in->ctime, in->ctimensec),
        .mode = in->mode,
        .uid = in->uid,
        .gid = in->gid,
    };
    struct tree_attr result;
    int err;

    (void)unused;
    (void)to_set;
    (void)fi;
    err = tree_setattr(rq->session->tree, &cred, id,
                       set_of(in->valid, in->valid & FATTR_FH), &attr,
                       rq->may_wait, &result);
    if (err)
        op_result(rq, err);
    else
        reply_attr_set(rq, &result);
}

/* Whoever has deleted something wants to see the space it took. */
void op_statfs(fuse_req_t req, fuse_ino_t id)
{
    struct request *rq = session_current(req);
    struct fuse_statfs_out out = { 0 };
    struct statvfs st = { 0 };
    int err;

    (void)id;
    if (request_settle(rq, STATFS_TRIES))
        return;
    err = tree_statvfs(rq->session->tree, &st);
    if (err) {
        op_result(rq, err);
        return;
    }
    out.st = (struct fuse_kstatfs){
        .blocks = st.f_blocks,
        .bfree = st.f_bfree,
        .bavail = st.f_bavail,
        .files = st.f_files,
        .ffree = st.f_ffree,
        .bsize = (uint32_t)st.f_bsize,
        .frsize = (uint32_t)st.f_frsize,
        .namelen = (uint32_t)st.f_namemax,
    };
    reply_data(rq, &out, sizeof(out));
}

static struct proto_sx_time sx_time(struct timespec ts)
{
    return (struct proto_sx_time){ .seconds = ts.tv_sec,
                                   .nanoseconds = (uint32_t)ts.tv_nsec };
}

static uint64_t sx_attributes(uint32_t flags)
{
    uint64_t attributes = 0;

    if (flags & FS_IMMUTABLE_FL)
        attributes |= STATX_ATTR_IMMUTABLE;
    if (flags & FS_APPEND_FL)
        attributes |= STATX_ATTR_APPEND;
    if (flags & FS_NODUMP_FL)
        attributes |= STATX_ATTR_NODUMP;
    return attributes;
}

/* What GETATTR cannot tell: the time of birth. */
void op_statx(struct request *rq)
{
    struct tree_attr attr;
    struct proto_statx_out out;
    int err =
        tree_getattr(rq->session->tree, request_header(rq)->nodeid, &attr);

    if (err) {
        op_result(rq, err);
        return;
    }
    out = (struct proto_statx_out){
        .attr_valid = reply_attr_valid(rq, attr.mode),
        .stat = {
            .mask = STATX_BASIC_STATS | STATX_BTIME,
            .blksize = PAGE_SIZE,
            .attributes = sx_attributes(attr.flags),
            .attributes_mask = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND |
                               STATX_ATTR_NODUMP,
            .nlink = attr.nlink,
            .uid = attr.uid,
            .gid = attr.gid,
            .mode = (uint16_t)attr.mode,
            .ino = attr.ino,
            .size = attr.size,
            .blocks = attr.blocks,
            .atime = sx_time(attr.atime),
            .btime = sx_time(attr.btime),
            .ctime = sx_time(attr.ctime),
            .mtime = sx_time(attr.mtime),
            .rdev_major = major(attr.rdev),
            .rdev_minor = minor(attr.rdev),
        },
    };
    reply_data(rq, &out, sizeof(out));
}
