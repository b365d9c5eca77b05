/* decode.c - the operations that come by the hundred thousand, decoded here.
 *
 * libfuse allocates a struct for each request, with a mutex in it, and links it
 * into a list under a lock that all threads share: a third of all instructions
 * of a small request, and no use to us.  So what is frequent goes around it, by
 * the same handlers; message.c has made sure that all the bytes are there.
 *
 * When requests are printed, libfuse decodes them all, because it prints them.
 */
#include "ops.h"

#include "bits.h"

#include <string.h>

static uint64_t id_of(const struct request *rq)
{
    return request_header(rq)->nodeid;
}

static void decode_lookup(struct request *rq)
{
    op_lookup(NULL, id_of(rq), request_argument(rq));
}

static void decode_forget(struct request *rq)
{
    const struct fuse_forget_in *in = request_argument(rq);

    op_forget(NULL, id_of(rq), in->nlookup);
}

static void decode_batch_forget(struct request *rq)
{
    const struct fuse_batch_forget_in *in = request_argument(rq);
    const struct fuse_forget_one *one = (const void *)(in + 1);

    for (uint32_t i = 0; i < in->count; i++)
        tree_forget(rq->session->tree, one[i].nodeid, one[i].nlookup);
}

static void decode_getattr(struct request *rq)
{
    op_getattr(NULL, id_of(rq), NULL);
}

static void decode_setattr(struct request *rq)
{
    op_setattr(NULL, id_of(rq), NULL, 0, NULL);
}

static void decode_open(struct request *rq)
{
    op_open(NULL, id_of(rq), NULL);
}

static void decode_create(struct request *rq)
{
    const struct fuse_create_in *in = request_argument(rq);

    op_create(NULL, id_of(rq), (const char *)(in + 1), 0, NULL);
}

static void decode_release(struct request *rq)
{
    const struct fuse_release_in *in = request_argument(rq);
    struct fuse_file_info fi = { .fh = in->fh };

    op_release(NULL, id_of(rq), &fi);
}

static void decode_read(struct request *rq)
{
    const struct fuse_read_in *in = request_argument(rq);
    struct fuse_file_info fi = { .fh = in->fh };

    op_read(NULL, id_of(rq), in->size, (off_t)in->offset, &fi);
}

static void decode_write(struct request *rq)
{
    const struct fuse_write_in *in = request_argument(rq);
    struct fuse_file_info fi = { .fh = in->fh };

    op_write(NULL, id_of(rq), (const char *)(in + 1), in->size,
             (off_t)in->offset, &fi);
}

static void decode_unlink(struct request *rq)
{
    op_unlink(NULL, id_of(rq), request_argument(rq));
}

static void decode_rename(struct request *rq)
{
    const struct fuse_rename_in *in = request_argument(rq);
    const char *name = (const char *)(in + 1);

    op_rename(NULL, id_of(rq), name, in->newdir, name + strlen(name) + 1, 0);
}

static void decode_rename2(struct request *rq)
{
    const struct fuse_rename2_in *in = request_argument(rq);
    const char *name = (const char *)(in + 1);

    op_rename(NULL, id_of(rq), name, in->newdir, name + strlen(name) + 1,
              in->flags);
}

static void decode_getxattr(struct request *rq)
{
    const struct fuse_getxattr_in *in = request_argument(rq);

    op_getxattr(NULL, id_of(rq), (const char *)(in + 1), in->size);
}

static raw_handler *const frequent[] = {
    [FUSE_LOOKUP] = decode_lookup,
    [FUSE_FORGET] = decode_forget,
    [FUSE_BATCH_FORGET] = decode_batch_forget,
    [FUSE_GETATTR] = decode_getattr,
    [FUSE_SETATTR] = decode_setattr,
    [FUSE_OPEN] = decode_open,
    [FUSE_CREATE] = decode_create,
    [FUSE_RELEASE] = decode_release,
    [FUSE_READ] = decode_read,
    [FUSE_WRITE] = decode_write,
    [FUSE_UNLINK] = decode_unlink,
    [FUSE_RENAME] = decode_rename,
    [FUSE_RENAME2] = decode_rename2,
    [FUSE_GETXATTR] = decode_getxattr,
};

raw_handler *frequent_handler_of(uint32_t opcode)
{
    return opcode < ARRAY_SIZE(frequent) ? frequent[opcode] : NULL;
}
