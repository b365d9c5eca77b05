/* ops_names.c - names: looking up, making, removing, renaming.
 *
 * A name that is not there is told as an entry without a node, which the kernel
 * remembers; an error would be asked again each time.
 */
#include "ops.h"

#include <errno.h>
#include <string.h>

void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct request *rq = session_current(req);
    struct tree_entry entry;
    int err = tree_lookup(rq->session->tree, parent, name, &entry);

    if (err == -ENOENT)
        reply_entry(rq, NULL);
    else if (err)
        op_result(rq, err);
    else
        reply_entry(rq, &entry);
}

void op_forget(fuse_req_t req, fuse_ino_t id, uint64_t nlookup)
{
    struct request *rq = session_current(req);

    tree_forget(rq->session->tree, id, nlookup);
    reply_none(rq);
}

void op_forget_multi(fuse_req_t req, size_t count,
                     struct fuse_forget_data *forgets)
{
    struct request *rq = session_current(req);

    for (size_t i = 0; i < count; i++)
        tree_forget(rq->session->tree, forgets[i].ino, forgets[i].nlookup);
    reply_none(rq);
}

static void make_node(fuse_req_t req, fuse_ino_t parent, const char *name,
                      mode_t mode, dev_t rdev)
{
    struct request *rq = session_current(req);
    struct tree_cred cred = request_cred(rq, fuse_req_ctx(req)->umask);
    struct tree_entry entry;
    int err = tree_mknod(rq->session->tree, &cred, parent, name, mode, rdev,
                         rq->may_wait, &entry);

    if (err)
        op_result(rq, err);
    else
        reply_entry(rq, &entry);
}

void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
              dev_t rdev)
{
    make_node(req, parent, name, mode, rdev);
}

void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    make_node(req, parent, name, S_IFDIR | (mode & ~(mode_t)S_IFMT), 0);
}

void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
                const char *name)
{
    struct request *rq = session_current(req);
    struct tree_cred cred = request_cred(rq, 0);
    struct tree_entry entry;
    int err = tree_symlink(rq->session->tree, &cred, parent, name, target,
                           rq->may_wait, &entry);

    if (err)
        op_result(rq, err);
    else
        reply_entry(rq, &entry);
}

void op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name)
{
    struct request *rq = session_current(req);
    struct tree_entry entry;
    int err =
        tree_link(rq->session->tree, id, parent, name, rq->may_wait, &entry);

    if (err)
        op_result(rq, err);
    else
        reply_entry(rq, &entry);
}

void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct request *rq = session_current(req);

    op_result(rq, tree_unlink(rq->session->tree, parent, name));
}

void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct request *rq = session_current(req);

    op_result(rq, tree_rmdir(rq->session->tree, parent, name));
}

void op_rename(fuse_req_t req, fuse_ino_t from, const char *name, fuse_ino_t to,
               const char *to_name, unsigned flags)
{
    struct request *rq = session_current(req);
    struct tree_cred cred = request_cred(rq, 0);

    op_result(rq, tree_rename(rq->session->tree, &cred, from, name, to, to_name,
                              flags, rq->may_wait));
}

void op_readlink(fuse_req_t req, fuse_ino_t id)
{
    struct request *rq = session_current(req);
    size_t room;
    char *target = request_scratch(rq->session->requests, rq, &room);
    int err = tree_readlink(rq->session->tree, id, target, room);

    if (err)
        op_result(rq, err);
    else
        reply_data(rq, target, strlen(target));
}
