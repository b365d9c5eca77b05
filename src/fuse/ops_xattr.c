/* ops_xattr.c - extended attributes.
 *
 * Values are read into the request's own buffer, behind the name that is asked
 * for; 64 KiB, the most the kernel wants, fit there.
 */
#include "ops.h"

#include <errno.h>
#include <string.h>

/* SETXATTR_EXT was agreed upon, so the fixed part is the long one. */
void op_setxattr(struct request *rq)
{
    const struct fuse_setxattr_in *in = request_argument(rq);
    const char *name = (const char *)(in + 1);
    const char *value = name + strlen(name) + 1;
    struct tree_cred cred = request_cred(rq, 0);
    bool kill = in->setxattr_flags & FUSE_SETXATTR_ACL_KILL_SGID;
    int flags = (int)in->flags | (kill ? TREE_XATTR_KILL_SGID : 0);

    op_result(rq, tree_setxattr(rq->session->tree, &cred,
                                request_header(rq)->nodeid, name, value,
                                in->size, flags, rq->may_wait));
}

/* `asked` 0: only the size was asked for. */
static void reply_value(struct request *rq, ssize_t got, const void *value,
                        size_t asked)
{
    struct fuse_getxattr_out out = { 0 };

    if (got < 0) {
        op_result(rq, (int)got);
    } else if (asked == 0) {
        out.size = (uint32_t)got;
        reply_data(rq, &out, sizeof(out));
    } else {
        reply_data(rq, value, (size_t)got);
    }
}

void op_getxattr(fuse_req_t req, fuse_ino_t id, const char *name, size_t size)
{
    struct request *rq = session_current(req);
    size_t room;
    void *value = request_scratch(rq->session->requests, rq, &room);
    ssize_t got = tree_getxattr(rq->session->tree, id, name, value,
                                MIN(size, room));

    reply_value(rq, got, value, size);
}

void op_listxattr(fuse_req_t req, fuse_ino_t id, size_t size)
{
    struct request *rq = session_current(req);
    struct tree_cred cred = request_cred(rq, 0);
    size_t room;
    void *list = request_scratch(rq->session->requests, rq, &room);
    ssize_t got = tree_listxattr(rq->session->tree, &cred, id, list,
                                 MIN(size, room));

    reply_value(rq, got, list, size);
}

void op_removexattr(fuse_req_t req, fuse_ino_t id, const char *name)
{
    struct request *rq = session_current(req);
    struct tree_cred cred = request_cred(rq, 0);

    op_result(rq, tree_removexattr(rq->session->tree, &cred, id, name));
}
