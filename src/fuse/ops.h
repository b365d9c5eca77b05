/* ops.h - the handlers, one for each operation of FUSE; private to src/fuse.
 *
 * A handler decodes, asks the tree once, and replies.  `req` is libfuse's, NULL
 * if the request went around it.  Errors of the tree go to
 * request_again first; what it takes is run again later.
 */
#ifndef FUSE_OPS_H
#define FUSE_OPS_H

#include "libfuse.h"
#include "request.h"
#include "session.h"

/* What libfuse decodes (ops.c). */
extern const struct fuse_lowlevel_ops fuse_ops;

/* What it cannot: operations it does not know, or whose arguments it drops.
 * NULL: libfuse's. */
typedef void raw_handler(struct request *rq);
raw_handler *raw_handler_of(uint32_t opcode);
/* What comes so often that it goes around libfuse (decode.c). */
raw_handler *frequent_handler_of(uint32_t opcode);

/* The reply when the tree returned `error`, unless the request runs again. */
static inline void op_result(struct request *rq, int error)
{
    if (!request_again(rq, error))
        reply_error(rq, error);
}

/* ops_names.c */
void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_forget(fuse_req_t req, fuse_ino_t id, uint64_t nlookup);
void op_forget_multi(fuse_req_t req, size_t count,
                     struct fuse_forget_data *forgets);
void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
              dev_t rdev);
void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
                const char *name);
void op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent,
             const char *name);
void op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void op_rename(fuse_req_t req, fuse_ino_t from, const char *name, fuse_ino_t to,
               const char *to_name, unsigned flags);
void op_readlink(fuse_req_t req, fuse_ino_t id);

/* ops_attr.c */
void op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *attr, int to_set,
                struct fuse_file_info *fi);
void op_statfs(fuse_req_t req, fuse_ino_t id);
raw_handler op_statx;

/* ops_file.c */
void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
               struct fuse_file_info *fi);
raw_handler op_tmpfile;
void op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
             struct fuse_file_info *fi);
void op_write(fuse_req_t req, fuse_ino_t id, const char *data, size_t size,
              off_t offset, struct fuse_file_info *fi);

/* ops_dir.c */
void op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_releasedir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *fi);
void op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t cookie,
                struct fuse_file_info *fi);
void op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t cookie,
                    struct fuse_file_info *fi);

/* ops_xattr.c */
raw_handler op_setxattr;
void op_getxattr(fuse_req_t req, fuse_ino_t id, const char *name, size_t size);
void op_listxattr(fuse_req_t req, fuse_ino_t id, size_t size);
void op_removexattr(fuse_req_t req, fuse_ino_t id, const char *name);

/* ops_extra.c */
void op_lseek(fuse_req_t req, fuse_ino_t id, off_t offset, int whence,
              struct fuse_file_info *fi);
void op_fallocate(fuse_req_t req, fuse_ino_t id, int mode, off_t offset,
                  off_t length, struct fuse_file_info *fi);
void op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_offset,
                        struct fuse_file_info *from_fi, fuse_ino_t to,
                        off_t to_offset, struct fuse_file_info *to_fi,
                        size_t length, int flags);
raw_handler op_copy_file_range_64;
raw_handler op_syncfs;
void op_ioctl(fuse_req_t req, fuse_ino_t id, unsigned command, void *argument,
              struct fuse_file_info *fi, unsigned flags, const void *in,
              size_t in_bytes, size_t out_bytes);
/* The answer of an ioctl: these bytes, or none. */
void reply_ioctl(struct request *rq, const void *data, size_t bytes);

/* ops_ctl.c: an ioctl that is none of Linux's own. */
void ctl_ioctl(struct request *rq, uint64_t id, unsigned command,
               const void *in, size_t in_bytes, size_t out_bytes);

#endif
