/* ops.c - which handler takes which operation.
 *
 * Left out on purpose, so that libfuse answers ENOSYS once and the kernel does
 * it alone from then on: flush, fsync and fsyncdir (what is written is as safe
 * as it will ever be), access (the kernel checks modes), file locks (nobody
 * else has the files), poll, bmap.
 */
#include "ops.h"

#include "bits.h"

const struct fuse_lowlevel_ops fuse_ops = {
    .lookup = op_lookup,
    .forget = op_forget,
    .forget_multi = op_forget_multi,
    .mknod = op_mknod,
    .mkdir = op_mkdir,
    .symlink = op_symlink,
    .link = op_link,
    .unlink = op_unlink,
    .rmdir = op_rmdir,
    .rename = op_rename,
    .readlink = op_readlink,
    .getattr = op_getattr,
    .setattr = op_setattr,
    .statfs = op_statfs,
    .create = op_create,
    .open = op_open,
    .release = op_release,
    .read = op_read,
    .write = op_write,
    .opendir = op_opendir,
    .releasedir = op_releasedir,
    .readdir = op_readdir,
    .readdirplus = op_readdirplus,
    .getxattr = op_getxattr,
    .listxattr = op_listxattr,
    .removexattr = op_removexattr,
    .lseek = op_lseek,
    .fallocate = op_fallocate,
    .copy_file_range = op_copy_file_range,
    .ioctl = op_ioctl,
};

static raw_handler *const raw[] = {
    [FUSE_SETXATTR] = op_setxattr, /* 3.14 knows only the short argument */
    [PROTO_SYNCFS] = op_syncfs,
    [PROTO_TMPFILE] = op_tmpfile,
    [PROTO_STATX] = op_statx,
    [PROTO_COPY_FILE_RANGE_64] = op_copy_file_range_64,
};

raw_handler *raw_handler_of(uint32_t opcode)
{
    return opcode < ARRAY_SIZE(raw) ? raw[opcode] : NULL;
}
