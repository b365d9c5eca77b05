/* The operations of differ, and what they are done with: a few names, up to
 * three deep, a few open files, modes, owners, times, attributes.  Symbolic
 * links lead to such names, too, so never out of the folder. */
#include "differ.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

enum { SLOTS = 6, LENGTH_MAX = 20000, MEMBER = 1236 };

static const struct {
    uid_t uid;
    gid_t gid, other;
} callers[] = { { 0, 0, 0 }, { 1234, 1235, MEMBER }, { 2345, MEMBER, 7 } };

/* ACLs in the form of the attribute: entries of tag, permission, id. */
static const int16_t acls[][2 + 5 * 4] = {
    { 2, 0, 1, 7, -1, -1, 4, 5, -1, -1, 0x20, 4, -1, -1 },
    { 2, 0, 1, 6, -1, -1, 2, 7, 1234, 0, 4, 5, -1, -1, 0x10, 6, -1, -1,
      0x20, 1, -1, -1 },
    { 2, 0, 1, 7, -1, -1, 4, 0, -1, -1, 8, 7, MEMBER, 0, 0x10, 7, -1, -1,
      0x20, 0, -1, -1 },
};
static const size_t acl_sizes[] = { 4 + 3 * 8, 4 + 5 * 8, 4 + 5 * 8 };

static const char *const names[] = { "user.x", "user.y", "trusted.x",
                                     "security.x", ACCESS, DEFAULT,
                                     "nowhere.x", "user." };

static struct {
    size_t operation, caller;
    char one[64], two[64];
    unsigned slot, other_slot, pick;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    off_t offset, other_offset;
    size_t length;
    struct timespec times[2];
} args;

static int files[2][SLOTS] = { { -1, -1, -1, -1, -1, -1 },
                               { -1, -1, -1, -1, -1, -1 } };
static int side;
static uint64_t told;
static char bytes[LENGTH_MAX];

static int *slot(void)
{
    return &files[side][args.slot];
}

static void tell(const void *data, size_t length)
{
    const uint8_t *byte = data;

    for (size_t i = 0; i < length; i++)
        told = told * 1099511628211u + byte[i] + 1;
}

/* Of the file in the slot; 0 if there is none. */
static mode_t slot_type(void)
{
    struct stat st;

    return fstat(*slot(), &st) == 0 ? st.st_mode & S_IFMT : 0;
}

/* --- names ----------------------------------------------------------------- */

static long do_open(void)
{
    static const int flags[] = {
        O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL,
        O_WRONLY | O_CREAT | O_TRUNC, O_RDWR | O_TRUNC, O_RDONLY | O_DIRECTORY,
        O_WRONLY | O_APPEND, O_RDWR | O_CREAT | O_APPEND, O_RDONLY | O_NOFOLLOW,
        O_RDWR | O_CREAT, O_RDWR | O_CREAT, O_RDONLY | O_TRUNC, O_PATH,
        O_RDONLY | O_CREAT | O_DIRECTORY, O_RDONLY | O_NOATIME,
    };

    if (*slot() >= 0)
        close(*slot());
    *slot() = open(args.one, flags[args.pick % COUNT(flags)] | O_NONBLOCK,
                   args.mode);
    return *slot() < 0 ? -1 : 0;
}

static long do_tmpfile(void)
{
    if (*slot() >= 0)
        close(*slot());
    *slot() = open(args.one, O_TMPFILE | O_RDWR | (args.pick % 4 ? 0 : O_EXCL),
                   args.mode);
    return *slot() < 0 ? -1 : 0;
}

static long do_close(void)
{
    int fd = *slot();

    *slot() = -1;
    return close(fd);
}

static long do_mkdir(void)
{
    return mkdir(args.one, args.mode);
}

static long do_mknod(void)
{
    static const mode_t types[] = { S_IFIFO, S_IFREG, S_IFSOCK, S_IFCHR,
                                    S_IFBLK, S_IFDIR, 0, S_IFLNK };

    return mknod(args.one, types[args.pick % COUNT(types)] | args.mode,
                 args.pick / 8 % 5 * 259);
}

static long do_symlink(void)
{
    return symlink(args.pick % 16 ? args.two : "", args.one);
}

static long do_link(void)
{
    char path[64];

    if (args.pick % 4 == 0) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", *slot());
        return linkat(AT_FDCWD, path, AT_FDCWD, args.one, AT_SYMLINK_FOLLOW);
    }
    return linkat(AT_FDCWD, args.one, AT_FDCWD, args.two,
                  args.pick % 4 == 1 ? AT_SYMLINK_FOLLOW : 0);
}

static long do_unlink(void)
{
    return unlink(args.one);
}

static long do_rmdir(void)
{
    return rmdir(args.one);
}

static long do_rename(void)
{
    static const unsigned flags[] = { 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE,
                                      RENAME_WHITEOUT, 0, RENAME_EXCHANGE,
                                      RENAME_NOREPLACE | RENAME_EXCHANGE,
                                      RENAME_NOREPLACE | RENAME_WHITEOUT };

    return renameat2(AT_FDCWD, args.one, AT_FDCWD, args.two,
                     flags[args.pick % COUNT(flags)]);
}

static long do_readlink(void)
{
    ssize_t got = readlink(args.one, bytes, 1 + args.pick % 64);

    tell(bytes, got > 0 ? (size_t)got : 0);
    return got;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static long do_list(void)
{
    struct dirent **entries;
    int count = scandir(args.one, &entries, NULL, by_name), error = errno;

    for (int i = 0; i < count; i++) {
        tell(entries[i]->d_name, strlen(entries[i]->d_name));
        tell(&entries[i]->d_type, 1);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    errno = error;
    return count;
}

/* --- attributes ------------------------------------------------------------- */

static long do_chmod(void)
{
    return args.pick % 4 ? chmod(args.one, args.mode)
                         : fchmod(*slot(), args.mode);
}

/* Of nothing by a stranger: FUSE does not tell it from what comes before a
 * write, so it cannot be refused. */
static long do_chown(void)
{
    if (args.caller != 0 && args.uid == (uid_t)-1 && args.gid == (gid_t)-1)
        return 0;
    return args.pick % 4 ? lchown(args.one, args.uid, args.gid)
                         : fchown(*slot(), args.uid, args.gid);
}

static long do_utimes(void)
{
    return args.pick % 4 ? utimensat(AT_FDCWD, args.one,
                                     args.pick % 7 ? args.times : NULL,
                                     args.pick % 3 ? AT_SYMLINK_NOFOLLOW : 0)
                         : futimens(*slot(), args.times);
}

static long do_access(void)
{
    return faccessat(AT_FDCWD, args.one, (int)(args.pick % 8), AT_EACCESS);
}

static long do_umask(void)
{
    static const mode_t masks[] = { 022, 0, 077, 027, 0111 };

    umask(masks[args.pick % COUNT(masks)]);
    return 0;
}

static long do_setxattr(void)
{
    static const int flags[] = { 0, 0, 0, XATTR_CREATE, XATTR_REPLACE };
    const char *name = names[args.pick % COUNT(names)];
    size_t acl = args.pick / 8 % COUNT(acls);
    int flag = flags[args.pick / 32 % COUNT(flags)];

    if (strncmp(name, "system.", 7) == 0)
        return lsetxattr(args.one, name, acls[acl],
                         acl_sizes[acl] - (args.pick % 61 == 0), flag);
    return lsetxattr(args.one, name, args.two, strlen(args.two), flag);
}

static long do_getxattr(void)
{
    ssize_t got = lgetxattr(args.one, names[args.pick % COUNT(names)], bytes,
                            args.pick % 3 ? sizeof(bytes) : args.pick % 8);

    if (got > 0 && args.pick % 3)
        tell(bytes, (size_t)got);
    return got;
}

static long do_removexattr(void)
{
    return lremovexattr(args.one, names[args.pick % COUNT(names)]);
}

/* In whatever order: the sum of what each name comes to. */
static long do_listxattr(void)
{
    ssize_t got = llistxattr(args.one, bytes, sizeof(bytes));
    uint64_t sum = 0;

    for (char *at = bytes; got > 0 && at < bytes + got; at += strlen(at) + 1) {
        told = 0;
        tell(at, strlen(at));
        sum += told;
    }
    told = sum;
    return got;
}

/* Not append-only and immutable, of which the kernel knows nothing on FUSE: so
 * it finds other reasons first, as it does for special files. */
static long do_flags(void)
{
    static const int flags[] = { 0, FS_NODUMP_FL, FS_NOATIME_FL, FS_COMPR_FL };
    int set = flags[args.pick % COUNT(flags)];

    if (slot_type() != S_IFREG && slot_type() != S_IFDIR)
        return 0;
    return ioctl(*slot(), FS_IOC_SETFLAGS, &set);
}

static long do_getflags(void)
{
    int flags = 0;
    long result = ioctl(*slot(), FS_IOC_GETFLAGS, &flags);

    tell(&flags, sizeof(flags));
    return result;
}

/* --- bytes ------------------------------------------------------------------ */

static long do_write(void)
{
    memset(bytes, 'a' + (int)(args.pick % 26), args.length);
    return args.pick % 3 ? pwrite(*slot(), bytes, args.length, args.offset)
                         : write(*slot(), bytes, args.length);
}

static long do_read(void)
{
    ssize_t got = args.pick % 3 ? pread(*slot(), bytes, args.length, args.offset)
                                : read(*slot(), bytes, args.length);

    tell(bytes, got > 0 ? (size_t)got : 0);
    return got;
}

static long do_truncate(void)
{
    return args.pick % 2 ? truncate(args.one, args.offset)
                         : ftruncate(*slot(), args.offset);
}

static long do_fallocate(void)
{
    static const int modes[] = { 0, 0, FALLOC_FL_KEEP_SIZE,
                                 FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                                 FALLOC_FL_COLLAPSE_RANGE };

    return fallocate(*slot(), modes[args.pick % COUNT(modes)], args.offset,
                     (off_t)args.length);
}

/* pagerfs copies holes as holes, tmpfs as zeros: afterwards there are none. */
static long do_copy(void)
{
    off_t from = args.offset, to = args.other_offset;
    int fd = files[side][args.other_slot];
    ssize_t got = copy_file_range(*slot(), &from, fd, &to, args.length, 0);

    if (got > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, args.other_offset, got) != 0)
        return -1;
    return got;
}

/* Not in directories, where it is the kernel's, and each file system's own; and
 * not to data: what is preallocated need not be a hole (seek.c). */
static long do_seek(void)
{
    static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END };

    if (slot_type() == S_IFDIR)
        return 0;
    return lseek(*slot(), args.offset, whence[args.pick % COUNT(whence)]);
}

static const struct {
    const char *name;
    long (*run)(void);
    unsigned weight;
} operations[] = {
    { "open", do_open, 14 },      { "tmpfile", do_tmpfile, 2 },
    { "close", do_close, 2 },     { "mkdir", do_mkdir, 8 },
    { "mknod", do_mknod, 4 },     { "symlink", do_symlink, 3 },
    { "link", do_link, 5 },       { "unlink", do_unlink, 5 },
    { "rmdir", do_rmdir, 2 },     { "rename", do_rename, 10 },
    { "readlink", do_readlink, 1 }, { "list", do_list, 2 },
    { "chmod", do_chmod, 5 },     { "chown", do_chown, 4 },
    { "utimes", do_utimes, 3 },   { "access", do_access, 2 },
    { "umask", do_umask, 1 },     { "setxattr", do_setxattr, 6 },
    { "getxattr", do_getxattr, 2 }, { "removexattr", do_removexattr, 2 },
    { "listxattr", do_listxattr, 1 }, { "setflags", do_flags, 1 },
    { "getflags", do_getflags, 1 }, { "write", do_write, 7 },
    { "read", do_read, 3 },       { "truncate", do_truncate, 3 },
    { "fallocate", do_fallocate, 3 }, { "copy", do_copy, 3 },
    { "seek", do_seek, 2 },
};

/* --- choosing, running ------------------------------------------------------ */

static void choose_path(char path[64])
{
    unsigned depth = 1 + any(3);
    size_t at = 0;

    for (unsigned i = 0; i < depth; i++) {
        path[at++] = (char)('a' + any(4));
        path[at++] = '/';
    }
    path[--at] = '\0';
    if (any(25) == 0)
        strcpy(path + at, any(2) ? "/." : "/..");
}

static size_t choose_operation(void)
{
    uint32_t total = 0, left;
    size_t i;

    for (i = 0; i < COUNT(operations); i++)
        total += operations[i].weight;
    left = any(total);
    for (i = 0; left >= operations[i].weight; i++)
        left -= operations[i].weight;
    return i;
}

static struct timespec choose_time(void)
{
    static const long nsec[] = { UTIME_NOW, UTIME_OMIT, 0, 999999999,
                                 1000000000, 5 };

    return (struct timespec){ any(100000), nsec[any(COUNT(nsec))] };
}

void operation_choose(void)
{
    static const uid_t ids[] = { (uid_t)-1, 0, 1234, 2345, 1235, MEMBER };
    static const mode_t modes[] = { 0644, 0755, 0777, 0600, 04755, 02755, 06777,
                                    01777, 02777, 0, 02745, 07777, 0400 };

    args.operation = choose_operation();
    args.caller = any(2) ? 0 : 1 + any(2);
    choose_path(args.one);
    choose_path(args.two);
    args.slot = any(SLOTS);
    args.other_slot = any(SLOTS);
    args.pick = any(1 << 20);
    args.mode = modes[any(COUNT(modes))];
    args.uid = ids[any(COUNT(ids))];
    args.gid = ids[any(COUNT(ids))];
    args.offset = any(60000);
    args.other_offset = any(60000);
    args.length = any(5) ? any(LENGTH_MAX) : any(2) * 4096;
    args.times[0] = choose_time();
    args.times[1] = choose_time();
}

static void become(uid_t uid, gid_t gid, gid_t other)
{
    gid_t groups[1] = { other };

    if (seteuid(0) != 0 || setgroups(1, groups) != 0 || setegid(gid) != 0 ||
        seteuid(uid) != 0)
        abort();
}

struct outcome operation_run(int on_side)
{
    size_t caller = args.caller;
    struct outcome out;

    side = on_side;
    told = 0;
    become(callers[caller].uid, callers[caller].gid, callers[caller].other);
    errno = 0;
    out.result = operations[args.operation].run();
    out.error = out.result < 0 ? errno : 0;
    out.told = told;
    become(0, 0, 0);
    return out;
}

const char *operation_text(void)
{
    static char text[400];

    snprintf(text, sizeof(text),
             "%s by %u: %s, %s, file %u, %u, pick %u, mode %o, owner %d:%d, "
             "offset %ld, %ld, length %zu, times %ld.%ld %ld.%ld",
             operations[args.operation].name, callers[args.caller].uid, args.one,
             args.two, args.slot, args.other_slot, args.pick, args.mode,
             (int)args.uid, (int)args.gid, (long)args.offset,
             (long)args.other_offset, args.length, (long)args.times[0].tv_sec,
             args.times[0].tv_nsec, (long)args.times[1].tv_sec,
             args.times[1].tv_nsec);
    return text;
}

void operations_end(void)
{
    for (side = 0; side < 2; side++)
        for (size_t i = 0; i < SLOTS; i++)
            if (files[side][i] >= 0)
                close(files[side][i]);
}
