/* Under allow_other another user may do what the modes say, and no more: each
 * operation with and without the permission it takes; and an ACL that grants or
 * denies has the last word.
 *
 * As root, on a mount with allow_other. */
#include "probe.h"

#include <dirent.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

enum { OTHER = 1234, GROUP = 5678, ELSEWHERE = 4321 };

/* Who the other user is to the files: that shifts the bits of the mode. */
enum who { OF_OWNER, OF_GROUP, OF_REST };

static int succeeded(int fd)
{
    return fd < 0 ? -1 : close(fd);
}

static int open_r(void)
{
    return succeeded(open("d/f", O_RDONLY));
}

static int open_w(void)
{
    return succeeded(open("d/f", O_WRONLY));
}

static int open_rw(void)
{
    return succeeded(open("d/f", O_RDWR));
}

static int may_exec(void)
{
    return faccessat(AT_FDCWD, "d/f", X_OK, AT_EACCESS);
}

static int do_truncate(void)
{
    return truncate("d/f", 10);
}

static int get_user_xattr(void)
{
    char value;

    return getxattr("d/f", "user.a", &value, 1) == 1 ? 0 : -1;
}

static int set_user_xattr(void)
{
    return setxattr("d/f", "user.a", "1", 1, 0);
}

static int touch_now(void)
{
    return utimensat(AT_FDCWD, "d/f", NULL, 0);
}

static int touch_past(void)
{
    struct timespec past[2] = { { 5, 6 }, { 7, 8 } };

    return utimensat(AT_FDCWD, "d/f", past, 0);
}

static int change_mode(void)
{
    return chmod("d/f", 0600);
}

static int give_away(void)
{
    return chown("d/f", ELSEWHERE, (gid_t)-1);
}

static int look_up(void)
{
    struct stat st;

    return stat("d/f", &st);
}

static int list(void)
{
    DIR *dir = opendir("d");

    return dir ? closedir(dir) : -1;
}

static int create(void)
{
    return succeeded(open("d/new", O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int make_dir(void)
{
    return mkdir("d/new", 0700);
}

static int make_link(void)
{
    return symlink("f", "d/new");
}

static int take_away(void)
{
    return unlink("d/f");
}

static int move(void)
{
    return rename("d/f", "d/new");
}

static int move_out(void)
{
    return rename("d/f", "mine/f");
}

/* The bits of file and directory (4 read, 2 write, 1 search) that it takes, or
 * that only the owner of the file may, whatever the bits are. */
static const struct operation {
    int (*run)(void);
    unsigned file, dir;
    bool owner, root; /* of the file; refused with EPERM to everybody else */
} operations[] = {
    { open_r, 4, 1, false, false },
    { open_w, 2, 1, false, false },
    { open_rw, 6, 1, false, false },
    { may_exec, 1, 1, false, false },
    { do_truncate, 2, 1, false, false },
    { get_user_xattr, 4, 1, false, false },
    { set_user_xattr, 2, 1, false, false },
    { touch_now, 2, 1, false, false }, /* or the owner: see allowed() */
    { touch_past, 0, 1, true, false },
    { change_mode, 0, 1, true, false },
    { give_away, 0, 1, false, true },
    { look_up, 0, 1, false, false },
    { list, 0, 4, false, false },
    { create, 0, 3, false, false },
    { make_dir, 0, 3, false, false },
    { make_link, 0, 3, false, false },
    { take_away, 0, 3, false, false },
    { move, 0, 3, false, false },
    { move_out, 0, 3, false, false },
};

static enum who who;
static unsigned file_bits, dir_bits;

/* 0, or the errno that the modes call for. */
static int expected(const struct operation *op)
{
    if ((dir_bits & op->dir) != op->dir)
        return EACCES;
    if (op->root || (op->owner && who != OF_OWNER))
        return EPERM;
    if (op->run == touch_now && who == OF_OWNER)
        return 0;
    return (file_bits & op->file) == op->file ? 0 : EACCES;
}

static void make_theirs(const char *path, unsigned bits)
{
    uid_t owner = who == OF_OWNER ? OTHER : ELSEWHERE;
    gid_t group = who == OF_GROUP ? GROUP : ELSEWHERE;
    unsigned shift = who == OF_OWNER ? 6 : who == OF_GROUP ? 3 : 0;

    CHECK(chown(path, owner, group) == 0);
    /* All the others have just what this one has not. */
    CHECK(chmod(path, (~(7u << shift) & 0777) | bits << shift) == 0);
}

static void try(const struct operation *op)
{
    int wanted, got;

    CHECK(mkdir("d", 0777) == 0);
    make_file("d/f", "x", 1);
    CHECK(setxattr("d/f", "user.a", "1", 1, 0) == 0);
    make_theirs("d/f", file_bits);
    make_theirs("d", dir_bits);
    wanted = expected(op);
    CHECK(seteuid(OTHER) == 0);
    errno = 0;
    got = op->run() == 0 ? 0 : errno;
    CHECK(seteuid(0) == 0);
    if (got != wanted)
        fprintf(stderr, "operation %td, file %u, directory %u, who %d: %s\n",
                op - operations, file_bits, dir_bits, (int)who, strerror(got));
    CHECK(got == wanted);
    for (const char *const *path =
             (const char *const[]){ "d/f", "d/new", "mine/f", "d", NULL };
         *path; path++)
        CHECK(remove(*path) == 0 || errno == ENOENT);
}

/* Every operation under all bits that it takes, and with each one missing. */
static void by_modes(enum who as)
{
    gid_t group = GROUP;

    who = as;
    if (geteuid() != 0)
        return;
    CHECK(mkdir("mine", 0777) == 0 && chown("mine", OTHER, OTHER) == 0);
    CHECK(setgroups(1, &group) == 0 && setegid(OTHER) == 0);
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        for (file_bits = 0; file_bits < 8; file_bits++)
            for (dir_bits = 0; dir_bits < 8; dir_bits++)
                try(&operations[i]);
    CHECK(setegid(0) == 0 && setgroups(0, NULL) == 0);
}

static void the_owner(void)
{
    by_modes(OF_OWNER);
}

static void one_of_the_group(void)
{
    by_modes(OF_GROUP);
}

static void anybody_else(void)
{
    by_modes(OF_REST);
}

/* An access ACL with one entry for OTHER, in a file for whose mode it is
 * nobody. */
static int set_acl(uint16_t others, uint16_t theirs)
{
    struct {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[5];
    } acl = {
        { POSIX_ACL_XATTR_VERSION },
        { { ACL_USER_OBJ, 6, (uint32_t)ACL_UNDEFINED_ID },
          { ACL_USER, theirs, OTHER },
          { ACL_GROUP_OBJ, others, (uint32_t)ACL_UNDEFINED_ID },
          { ACL_MASK, 7, (uint32_t)ACL_UNDEFINED_ID },
          { ACL_OTHER, others, (uint32_t)ACL_UNDEFINED_ID } },
    };

    return setxattr("d/f", "system.posix_acl_access", &acl, sizeof(acl), 0);
}

static void may_write_only(void)
{
    CHECK(open_w() == 0 && do_truncate() == 0 && set_user_xattr() == 0);
    CHECK_FAILS(EACCES, open_r());
    CHECK_FAILS(EACCES, may_exec());
    CHECK_FAILS(EPERM, change_mode());
    CHECK_FAILS(EPERM, set_acl(7, 7));
}

static void may_nothing(void)
{
    CHECK_FAILS(EACCES, open_r());
    CHECK_FAILS(EACCES, open_w());
    CHECK_FAILS(EACCES, may_exec());
    CHECK_FAILS(EACCES, do_truncate());
    CHECK_FAILS(EACCES, touch_now());
    CHECK(look_up() == 0);
}

static void an_acl_decides(void)
{
    if (geteuid() != 0)
        return;
    CHECK(mkdir("d", 0755) == 0);
    make_file("d/f", "x", 1);
    CHECK(set_acl(0, 2) == 0);
    as_user(OTHER, OTHER, OTHER, may_write_only);
    as_user(ELSEWHERE, ELSEWHERE, ELSEWHERE, may_nothing);
    CHECK(set_acl(7, 0) == 0);
    as_user(OTHER, OTHER, OTHER, may_nothing);
}

/* In a sticky directory, only what is one's own goes away. */
static void only_theirs_in_a_sticky_one(void)
{
    CHECK_FAILS(EPERM, unlink("d/f"));
    CHECK_FAILS(EPERM, rename("d/f", "d/new"));
    CHECK_FAILS(EPERM, rename("d/own", "d/f"));
    CHECK(rename("d/own", "d/new") == 0 && unlink("d/new") == 0);
}

static void sticky(void)
{
    if (geteuid() != 0)
        return;
    CHECK(mkdir("d", 0755) == 0 && chmod("d", 01777) == 0);
    make_file("d/f", "x", 1);
    make_file("d/own", "x", 1);
    CHECK(chmod("d/f", 0666) == 0 && chown("d/own", OTHER, OTHER) == 0);
    as_user(OTHER, OTHER, OTHER, only_theirs_in_a_sticky_one);
}

PROBE_MAIN(CASE(the_owner), CASE(one_of_the_group), CASE(anybody_else),
           CASE(an_acl_decides), CASE(sticky))
