/* test_reply.c - what a refused reply would have handed to the kernel, lookups
 * and open files, is taken back: no node stays when its last name goes. */
#include "request.h"

#include "eventually.h"
#include "fake_kernel.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static struct kernel kernel;
static _Atomic bool refuse;
static _Atomic unsigned refusals;

static int send_or_refuse(struct transport *transport, const struct request *rq,
                          const struct iovec *iov, int count)
{
    if (!refuse)
        return transport_dev.send(transport, rq, iov, count);
    refusals++;
    return -ENOENT;
}

static void start(void)
{
    static struct transport_ops refusing;

    refusing = transport_dev;
    refusing.send = send_or_refuse;
    kernel_transport = &refusing;
    kernel_start(&kernel, "pagerfs -o ram=16m,size=0,swap=none /mnt");
}

/* One request to which the kernel will not have the reply. */
static void refused(uint32_t opcode, const void *fixed, size_t bytes,
                    const char *name)
{
    unsigned before = refusals;

    refuse = true;
    kernel_send(&kernel, opcode, TREE_ROOT, fixed, bytes, name,
                name ? strlen(name) + 1 : 0);
    EVENTUALLY(refusals > before);
    refuse = false;
}

static void remove_name(const char *name)
{
    ck_assert_int_eq(kernel_call(&kernel, FUSE_UNLINK, TREE_ROOT, NULL, 0, name,
                                 strlen(name) + 1), 0);
}

START_TEST(test_mknod_and_lookup)
{
    struct fuse_mknod_in in = { .mode = S_IFREG | 0644 };

    start();
    refused(FUSE_MKNOD, &in, sizeof(in), "file");
    EVENTUALLY(kernel_nodes(&kernel) == 2);
    refused(FUSE_LOOKUP, NULL, 0, "file");
    refused(FUSE_LOOKUP, NULL, 0, "absent");
    remove_name("file");
    EVENTUALLY(kernel_nodes(&kernel) == 1);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_create)
{
    struct fuse_create_in in = { .flags = O_RDWR, .mode = S_IFREG | 0644 };

    start();
    refused(FUSE_CREATE, &in, sizeof(in), "file");
    EVENTUALLY(kernel_nodes(&kernel) == 2);
    remove_name("file");
    EVENTUALLY(kernel_nodes(&kernel) == 1);
    refused(PROTO_TMPFILE, &in, sizeof(in), "#1");
    EVENTUALLY(kernel_nodes(&kernel) == 1);
    kernel_stop(&kernel);
}
END_TEST

START_TEST(test_readdirplus)
{
    struct fuse_mknod_in in = { .mode = S_IFREG | 0644 };
    struct fuse_read_in read = { .size = 4096 };

    start();
    refused(FUSE_MKNOD, &in, sizeof(in), "one");
    refused(FUSE_MKNOD, &in, sizeof(in), "two");
    refused(FUSE_READDIRPLUS, &read, sizeof(read), NULL);
    remove_name("one");
    remove_name("two");
    EVENTUALLY(kernel_nodes(&kernel) == 1);
    kernel_stop(&kernel);
}
END_TEST

static bool is_empty(struct handle_bucket *bucket)
{
    bool empty;

    mutex_lock(&bucket->lock, RANK_FUSE);
    empty = !bucket->first;
    mutex_unlock(&bucket->lock);
    return empty;
}

START_TEST(test_open)
{
    struct fuse_open_in in = { .flags = O_DIRECTORY };

    start();
    refused(FUSE_OPENDIR, &in, sizeof(in), NULL);
    for (unsigned i = 0; i < HANDLE_BUCKETS; i++)
        EVENTUALLY(is_empty(&kernel.session->handles[i]));
    kernel_stop(&kernel);
}
END_TEST

UNIT_MAIN("reply", test_mknod_and_lookup, test_create, test_readdirplus,
          test_open)
