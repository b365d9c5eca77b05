/* Set-id bits: who takes them away, and set-gid directories. */
#include "probe.h"

#include <linux/capability.h>
#include <linux/xattr.h>
#include <sys/xattr.h>

enum { USER = 1234, GROUP = 1235 };

/* Nothing but the mode: the kernel may think that it knows it. */
static mode_t mode_of(const char *path)
{
    struct statx stx;

    CHECK(statx(AT_FDCWD, path, 0, STATX_MODE, &stx) == 0);
    return stx.stx_mode & 07777;
}

static void write_f(void)
{
    int fd = open("f", O_WRONLY);

    CHECK(fd >= 0 && pwrite(fd, "y", 1, 0) == 1);
    close(fd);
}

static void write_f_directly(void)
{
    void *page;
    int fd = open("f", O_WRONLY | O_DIRECT);

    CHECK(fd >= 0 && posix_memalign(&page, PAGE, PAGE) == 0);
    memset(page, 'z', PAGE);
    CHECK(write(fd, page, PAGE) == PAGE);
    close(fd);
    free(page);
}

static void truncate_f(void)
{
    CHECK(truncate("f", 1) == 0);
}

static void open_truncate_f(void)
{
    int fd = open("f", O_WRONLY | O_TRUNC);

    CHECK(fd >= 0);
    close(fd);
}

static void fallocate_f(void)
{
    int fd = open("f", O_WRONLY);

    CHECK(fd >= 0 && fallocate(fd, 0, 0, 2 * PAGE) == 0);
    close(fd);
}

static void punch_f(void)
{
    int fd = open("f", O_WRONLY);

    CHECK(fd >= 0);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                    PAGE) == 0);
    close(fd);
}

static void copy_to_f(void)
{
    int from = open("g", O_RDONLY), to = open("f", O_WRONLY);

    CHECK(copy_file_range(from, NULL, to, NULL, 100, 0) == 100);
    close(from);
    close(to);
}

static void remade(mode_t mode)
{
    static const char bytes[2 * PAGE];

    make_file("f", bytes, sizeof(bytes));
    make_file("g", bytes, sizeof(bytes));
    CHECK(chmod("g", 0644) == 0 && chown("f", 0, GROUP) == 0);
    CHECK(chmod("f", mode) == 0 && mode_of("f") == mode);
}

/* What USER does to the file takes both away; set-gid without group execution
 * stays with those of the group. */
static void cleared_by(void (*change)(void))
{
    remade(06777);
    as_user(USER, USER, USER, change);
    CHECK(mode_of("f") == 0777);
    remade(06767);
    as_user(USER, USER, GROUP, change);
    CHECK(mode_of("f") == 02767);
    remade(06767);
    as_user(USER, USER, USER, change);
    CHECK(mode_of("f") == 0767);
    remade(06777);
    change();
    CHECK(mode_of("f") == 06777);
}

static void changing_the_bytes(void)
{
    if (geteuid() != 0)
        return;
    cleared_by(write_f);
    cleared_by(write_f_directly);
    cleared_by(truncate_f);
    cleared_by(open_truncate_f);
    cleared_by(fallocate_f);
    cleared_by(punch_f);
    cleared_by(copy_to_f);
}

static void writing_again_and_again(void)
{
    int fd;

    if (geteuid() != 0)
        return;
    remade(04777);
    as_user(USER, USER, USER, write_f);
    CHECK(mode_of("f") == 0777 && chmod("f", 04777) == 0);
    fd = open("f", O_RDWR);
    CHECK(write(fd, "x", 1) == 1 && mode_of("f") == 04777);
    close(fd);
    as_user(USER, USER, USER, write_f);
    CHECK(mode_of("f") == 0777);
}

/* On FUSE the daemon cannot tell it from what comes before a write. */
static void keep_the_owner_of_f(void)
{
    CHECK(chown("f", (uid_t)-1, (gid_t)-1) == (on_tmpfs() ? -1 : 0));
    CHECK(chown("g", (uid_t)-1, (gid_t)-1) == 0);
}

static void changing_the_owner(void)
{
    if (geteuid() != 0)
        return;
    remade(06777);
    CHECK(chown("f", USER, (gid_t)-1) == 0 && mode_of("f") == 0777);
    remade(06777);
    CHECK(chown("f", (uid_t)-1, USER) == 0 && mode_of("f") == 0777);
    remade(06777);
    CHECK(chown("f", (uid_t)-1, (gid_t)-1) == 0 && mode_of("f") == 0777);
    remade(06767);
    CHECK(chown("f", (uid_t)-1, (gid_t)-1) == 0 && mode_of("f") == 02767);
    remade(06777);
    as_user(USER, USER, USER, keep_the_owner_of_f);
    CHECK(mode_of("f") == 06777);
    remade(06767);
    CHECK(chown("f", USER, (gid_t)-1) == 0 && mode_of("f") == 02767);
    CHECK(mkdir("d", 0755) == 0 && chmod("d", 02755) == 0);
    CHECK(chown("d", USER, GROUP) == 0 && mode_of("d") == 02755);
}

/* As setcap(8) writes it: CAP_SETUID, permitted and effective. */
static void make_capable(const char *path)
{
    const struct vfs_cap_data data = {
        .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
        .data = { { .permitted = 1u << CAP_SETUID } },
    };

    CHECK(setxattr(path, XATTR_NAME_CAPS, &data, XATTR_CAPS_SZ_2, 0) == 0);
}

static bool capable(const char *path)
{
    struct vfs_cap_data data;

    return getxattr(path, XATTR_NAME_CAPS, &data, sizeof(data)) > 0;
}

static void change_group_of_f(void)
{
    CHECK(chown("f", (uid_t)-1, GROUP) == 0);
}

static void capabilities_go_with_the_owner(void)
{
    if (geteuid() != 0)
        return;
    remade(0777);
    make_capable("f");
    CHECK(chmod("f", 0755) == 0 && capable("f"));
    CHECK(chown("f", USER, USER) == 0 && !capable("f"));
    make_capable("f");
    as_user(USER, USER, GROUP, change_group_of_f);
    CHECK(!capable("f"));
    make_capable("f");
    as_user(USER, USER, GROUP, write_f);
    CHECK(!capable("f"));
}

static void chmod_g(void)
{
    CHECK(chmod("g", 02777) == 0);
}

static void set_gid_is_for_members(void)
{
    if (geteuid() != 0)
        return;
    make_file("g", "", 0);
    CHECK(chown("g", USER, GROUP) == 0);
    as_user(USER, USER, USER, chmod_g);
    CHECK(mode_of("g") == 0777);
    as_user(USER, USER, GROUP, chmod_g);
    CHECK(mode_of("g") == 02777);
}

static void in_set_gid_directory(void)
{
    int fd = open("d/f", O_WRONLY | O_CREAT, 02775);
    struct stat st;

    CHECK(fd >= 0 && mkdir("d/sub", 0755) == 0);
    CHECK(mknod("d/node", S_IFREG | 0644, 0) == 0 && symlink("f", "d/l") == 0);
    close(fd);
    fd = open("d", O_TMPFILE | O_RDWR, 0600);
    CHECK(fd >= 0);
    CHECK(fstat(fd, &st) == 0 && st.st_gid == GROUP && st.st_uid == USER);
    close(fd);
}

static void directories_pass_it_on(void)
{
    if (geteuid() != 0)
        return;
    CHECK(mkdir("d", 0777) == 0 && chown("d", 0, GROUP) == 0);
    CHECK(chmod("d", 02777) == 0);
    as_user(USER, USER, USER, in_set_gid_directory);
    CHECK(stat_of("d/f").st_gid == GROUP && stat_of("d/f").st_uid == USER);
    CHECK(mode_of("d/f") == 0755); /* not of that group: no set-gid program */
    CHECK(stat_of("d/sub").st_gid == GROUP && mode_of("d/sub") == 02755);
    CHECK(stat_of("d/node").st_gid == GROUP && stat_of("d/l").st_gid == GROUP);
}

static void as_member(void)
{
    int fd = open("d/f", O_WRONLY | O_CREAT, 02775);

    CHECK(fd >= 0);
    close(fd);
    fd = open("f", O_WRONLY | O_CREAT, 0644);
    CHECK(fd >= 0);
    close(fd);
}

static void members_may_make_set_gid_programs(void)
{
    if (geteuid() != 0)
        return;
    CHECK(mkdir("d", 0777) == 0 && chown("d", 0, GROUP) == 0);
    CHECK(chmod("d", 02777) == 0 && chmod(".", 0777) == 0);
    as_user(USER, USER, GROUP, as_member);
    CHECK(mode_of("d/f") == 02755);
    CHECK(stat_of("f").st_gid == USER);
}

static void take_away(void)
{
    CHECK_FAILS(EPERM, unlink("d/f"));
    CHECK_FAILS(EPERM, rename("d/f", "d/g"));
    CHECK_FAILS(EPERM, rmdir("d/sub"));
    CHECK(unlink("d/mine") == 0);
}

static void sticky_directory(void)
{
    if (geteuid() != 0)
        return;
    CHECK(mkdir("d", 0777) == 0 && chmod("d", 01777) == 0);
    CHECK(mkdir("d/sub", 0777) == 0);
    make_file("d/f", "x", 1);
    make_file("d/mine", "x", 1);
    CHECK(chown("d/mine", USER, USER) == 0);
    as_user(USER, USER, USER, take_away);
}

PROBE_MAIN(CASE(changing_the_bytes), CASE(writing_again_and_again),
           CASE(changing_the_owner), CASE(capabilities_go_with_the_owner),
           CASE(set_gid_is_for_members),
           CASE(directories_pass_it_on), CASE(members_may_make_set_gid_programs),
           CASE(sticky_directory))
