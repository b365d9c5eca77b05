/* ops_file.c - open files: creating, opening, reading, writing.
 *
 * A READ is answered straight from the pool's frames, which stay pinned until
 * the kernel has copied them.  A WRITE is copied from the request's buffer.
 *
 * The caller's right to keep suid and sgid through a write, truncation or open
 * comes in flags that libfuse hides, so they are read from the message.
 */
#include "ops.h"

#include "handle.h"

#include <errno.h>
#include <fcntl.h>

static unsigned how_of(uint32_t flags)
{
    unsigned how = 0;

    if ((flags & O_ACCMODE) != O_RDONLY)
        how |= TREE_OPEN_WRITE;
    if (flags & O_APPEND)
        how |= TREE_OPEN_APPEND;
    if (flags & O_TRUNC)
        how |= TREE_OPEN_TRUNCATE;
    if (flags & O_NOATIME)
        how |= TREE_OPEN_NOATIME;
    return how;
}

/* Nothing of ours depends on close(2), so it need not tell us (NOFLUSH).  What
 * the kernel reads from its own cache moves no atime: with strictatime each open
 * begins without.  With a writeback cache, what is opened for writing while space
 * is short goes without any: so it is told of each byte. */
static uint32_t open_flags(struct session *session, unsigned how, uint64_t fh,
                           uint64_t id)
{
    uint32_t flags = FOPEN_NOFLUSH | FOPEN_PARALLEL_DIRECT_WRITES;

    remount_look(&session->remount, session->tree);
    if (session->init.direct_io ||
        (writeback_is_on(&session->writeback) && how & TREE_OPEN_WRITE &&
         !handle_join(session, fh, id)))
        return flags | FOPEN_DIRECT_IO;
    if (tree_atime(session->tree) == TREE_STRICTATIME)
        return flags;
    return flags | FOPEN_KEEP_CACHE;
}

void op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);
    struct session *session = rq->session;
    const struct fuse_open_in *in = request_argument(rq);
    struct tree_cred cred = request_cred(rq, 0);
    bool kill = in->open_flags & FUSE_OPEN_KILL_SUIDGID;
    uint64_t fh;
    int err;

    (void)fi;
    err = handle_open_file(session, kill ? &cred : NULL, id, how_of(in->flags),
                           rq->may_wait, &fh);
    if (err)
        op_result(rq, err);
    else if (reply_open(rq, fh,
                        open_flags(session, how_of(in->flags), fh, id)))
        handle_close(session, HANDLE_FILE, fh, id);
}

/* A new node, or the one that has the name if that will do.  *how is what it
 * is to be opened for. */
static int make_file(struct request *rq, uint64_t parent, const char *name,
                     unsigned *how, struct tree_entry *entry)
{
    const struct fuse_create_in *in = request_argument(rq);
    struct tree *tree = rq->session->tree;
    struct tree_cred cred = request_cred(rq, in->umask);
    mode_t mode = S_IFREG | (in->mode & ~(mode_t)S_IFMT);
    int err;

    *how = how_of(in->flags);
    if (name)
        err =
            tree_mknod(tree, &cred, parent, name, mode, 0, rq->may_wait, entry);
    else
        err = tree_tmpfile(tree, &cred, parent, mode, rq->may_wait, entry);
    if (err == -EEXIST && !(in->flags & O_EXCL))
        return tree_lookup(tree, parent, name, entry);
    *how &= ~(unsigned)TREE_OPEN_TRUNCATE; /* so that opening it cannot wait */
    return err;
}

/* name NULL: a file without one.  When there is no memory for a handle at this
 * moment, a new file goes without: a second run would find it made. */
static void create(struct request *rq, uint64_t parent, const char *name)
{
    struct session *session = rq->session;
    const struct fuse_create_in *in = request_argument(rq);
    struct tree_cred cred = request_cred(rq, 0);
    bool kill = in->open_flags & FUSE_OPEN_KILL_SUIDGID;
    struct tree_entry entry;
    unsigned how;
    uint64_t fh = 0;
    int err;

    err = make_file(rq, parent, name, &how, &entry);
    if (err) {
        op_result(rq, err);
        return;
    }
    err = handle_open_file(session, kill ? &cred : NULL, entry.id, how,
                           rq->may_wait, &fh);
    if (err && (err != -EAGAIN || how & TREE_OPEN_TRUNCATE)) {
        tree_forget(session->tree, entry.id, 1);
        op_result(rq, err);
        return;
    }
    if (reply_create(rq, &entry, fh,
                     open_flags(session, how, fh, entry.id)))
        handle_close(session, HANDLE_FILE, fh, entry.id);
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
               struct fuse_file_info *fi)
{
    (void)mode;
    (void)fi;
    create(session_current(req), parent, name);
}

void op_tmpfile(struct request *rq)
{
    create(rq, request_header(rq)->nodeid, NULL);
}

void op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);

    handle_close(rq->session, HANDLE_FILE, fi->fh, id);
    reply_error(rq, 0);
}

/* Pages that leave memory before the second try are few; a third is for those of
 * a read that lies in more runs than a lane has room. */
enum { READ_STARTS = 3 };

/* tree_read_begin, once what had to be read has been begun on the lane if there is
 * one: then *reading, and not an error that counts. */
static int read_begin(struct request *rq, struct tree_file *file,
                      uint64_t offset, size_t size, bool *reading,
                      struct object_read *read)
{
    struct tree *tree = rq->session->tree;
    int err, begun;

    *reading = false;
    if (rq->starts == 0)
        err = tree_read_begin(tree, file, offset, size, rq->may_wait, read);
    else
        err = tree_read_again(tree, file, offset, size, rq->may_wait, read);
    if (err != -EAGAIN || !rq->lane || rq->may_wait ||
        rq->starts == READ_STARTS)
        return err;
    begun = tree_read_start(tree, file, offset, size, rq->starts > 0,
                            rq->lane);
    rq->starts += begun >= 0;
    *reading = begun > 0;
    return err;
}

void op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
             struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);
    struct session *session = rq->session;
    struct object_read read;
    struct borrowed borrowed;
    struct tree_file *file;
    bool reading = false;
    int err;

    err = handle_borrow_file(session, fi->fh, id, &borrowed, &file);
    if (err)
        goto failed;
    err = read_begin(rq, file, (uint64_t)offset,
                     MIN(size, session->init.max_write), &reading, &read);
    if (err)
        goto give_back;
    reply_iov(rq, read.iov, (int)read.iov_count + 1);
    tree_read_end(session->tree, file, &read);
    handle_return_file(session, &borrowed);
    return;

give_back:
    handle_return_file(session, &borrowed);
failed:
    if (reading)
        request_reads(rq);
    else
        op_result(rq, err);
}

/* What the kernel had accepted may use what is held back for it. */
static int write_back(struct session *session, struct tree_file *file,
                      uint64_t offset, const char *data, size_t size,
                      bool wait, size_t *written)
{
    int err;

    pool_use_held(true);
    err = tree_write_back(session->tree, file, offset, data, size, wait,
                          written);
    pool_use_held(false);
    return err;
}

void op_write(fuse_req_t req, fuse_ino_t id, const char *data, size_t size,
              off_t offset, struct fuse_file_info *fi)
{
    struct request *rq = session_current(req);
    struct session *session = rq->session;
    const struct fuse_write_in *in = request_argument(rq);
    struct fuse_write_out out = { 0 };
    struct tree_cred cred = request_cred(rq, 0);
    bool kill = in->write_flags & FUSE_WRITE_KILL_SUIDGID;
    struct borrowed borrowed;
    struct tree_file *file;
    size_t written;
    int err;

    err = handle_borrow_file(session, fi->fh, id, &borrowed, &file);
    if (err) {
        op_result(rq, err);
        return;
    }
    size = MIN(size, session->init.max_write);
    if (writeback_is_on(&session->writeback) && in->write_flags & FUSE_WRITE_CACHE)
        err = write_back(session, file, (uint64_t)offset, data, size,
                         rq->may_wait, &written);
    else
        err = tree_write(session->tree, kill ? &cred : NULL, file,
                         (uint64_t)offset, data, size, rq->may_wait, &written);
    handle_return_file(session, &borrowed);
    /* Whether all writers must ask from now on is settled before the answer. */
    writeback_look(&session->writeback);
    if (err) {
        op_result(rq, err);
        return;
    }
    out.size = (uint32_t)written;
    reply_data(rq, &out, sizeof(out));
}
