/* POSIX ACLs: kept in step with the mode, inherited, obeyed. */
#include "probe.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NOBODY = 1234, SOMEBODY = 1235 };

struct entry {
    uint16_t tag, perm;
    uint32_t id; /* of ACL_USER and ACL_GROUP */
};

struct acl {
    struct posix_acl_xattr_header header;
    struct posix_acl_xattr_entry entries[8];
};

static const struct entry with_somebody[] = {
    { ACL_USER_OBJ, 6, 0 },
    { ACL_USER, 6, SOMEBODY },
    { ACL_GROUP_OBJ, 4, 0 },
    { ACL_MASK, 6, 0 },
    { ACL_OTHER, 0, 0 },
};

static int set(const char *path, const char *name, const struct entry *entries,
               size_t count)
{
    struct acl acl = { .header.a_version = POSIX_ACL_XATTR_VERSION };

    for (size_t i = 0; i < count; i++)
        acl.entries[i] = (struct posix_acl_xattr_entry){
            .e_tag = entries[i].tag,
            .e_perm = entries[i].perm,
            .e_id = entries[i].id ? entries[i].id : (uint32_t)ACL_UNDEFINED_ID,
        };
    return setxattr(path, name, &acl,
                    sizeof(acl.header) + count * sizeof(acl.entries[0]), 0);
}

/* The permission that the ACL gives to a tag; -1 without that entry. */
static int get(const char *path, const char *name, uint16_t tag)
{
    struct acl acl;
    ssize_t size = getxattr(path, name, &acl, sizeof(acl));
    size_t at = sizeof(acl.header);

    CHECK(size >= (ssize_t)at || errno == ENODATA);
    for (int i = 0; (ssize_t)at < size; i++, at += sizeof(acl.entries[0]))
        if (acl.entries[i].e_tag == tag)
            return acl.entries[i].e_perm;
    return -1;
}

static mode_t mode_of(const char *path)
{
    return stat_of(path).st_mode & 07777;
}

static void mode_follows_the_acl(void)
{
    make_file("f", "x", 1);
    CHECK(set("f", ACCESS, with_somebody, COUNT(with_somebody)) == 0);
    CHECK(mode_of("f") == 0660);
    CHECK(get("f", ACCESS, ACL_GROUP_OBJ) == 4);
    CHECK(removexattr("f", ACCESS) == 0);
    CHECK(mode_of("f") == 0660);
    CHECK(get("f", ACCESS, ACL_USER) == -1);
}

static void acl_follows_the_mode(void)
{
    make_file("f", "x", 1);
    CHECK(set("f", ACCESS, with_somebody, COUNT(with_somebody)) == 0);
    CHECK(chmod("f", 0741) == 0 && mode_of("f") == 0741);
    CHECK(get("f", ACCESS, ACL_USER_OBJ) == 7);
    CHECK(get("f", ACCESS, ACL_MASK) == 4);
    CHECK(get("f", ACCESS, ACL_GROUP_OBJ) == 4);
    CHECK(get("f", ACCESS, ACL_USER) == 6);
    CHECK(get("f", ACCESS, ACL_OTHER) == 1);
}

/* What the mode can say alone is not kept twice. */
static void a_plain_one_is_the_mode(void)
{
    static const struct entry plain[] = {
        { ACL_USER_OBJ, 7, 0 },
        { ACL_GROUP_OBJ, 5, 0 },
        { ACL_OTHER, 1, 0 },
    };

    make_file("f", "x", 1);
    CHECK(set("f", ACCESS, plain, COUNT(plain)) == 0);
    CHECK(mode_of("f") == 0751);
    CHECK_FAILS(ENODATA, getxattr("f", ACCESS, NULL, 0));
}

/* To take away what is not there is no error, as with other file systems. */
static void taken_away(void)
{
    make_file("f", "x", 1);
    CHECK(mkdir("d", 0755) == 0);
    CHECK(set("d", DEFAULT, with_somebody, COUNT(with_somebody)) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(removexattr("d", DEFAULT) == 0 && removexattr("d", ACCESS) == 0);
        CHECK(removexattr("f", ACCESS) == 0 && removexattr("f", DEFAULT) == 0);
    }
    CHECK_FAILS(ENODATA, getxattr("d", DEFAULT, NULL, 0));
}

static void default_is_inherited(void)
{
    int fd;

    CHECK(mkdir("d", 0755) == 0);
    CHECK(set("d", DEFAULT, with_somebody, COUNT(with_somebody)) == 0);
    CHECK(mode_of("d") == 0755);
    umask(077); /* does not count where there is a default ACL */
    fd = open("d/f", O_WRONLY | O_CREAT, 0664);
    CHECK(fd >= 0);
    close(fd);
    CHECK(mode_of("d/f") == 0660 && get("d/f", ACCESS, ACL_USER) == 6);
    CHECK(mkfifo("d/fifo", 0600) == 0);
    CHECK(mode_of("d/fifo") == 0600 && get("d/fifo", ACCESS, ACL_MASK) == 0);
    CHECK(mkdir("d/sub", 0777) == 0);
    CHECK(mode_of("d/sub") == 0660 && get("d/sub", DEFAULT, ACL_USER) == 6);
    CHECK(symlink("f", "d/l") == 0 && mode_of("d/l") == 0777);
    CHECK(chmod("d/sub", 0700) == 0);
    CHECK(get("d/sub", DEFAULT, ACL_MASK) == 6);
    CHECK(removexattr("d", DEFAULT) == 0);
    fd = open("d/g", O_WRONLY | O_CREAT, 0664);
    CHECK(fd >= 0 && mode_of("d/g") == 0600);
    close(fd);
    umask(022);
}

static void unnamed_file_inherits(void)
{
    char path[64];
    int fd;

    CHECK(mkdir("d", 0755) == 0);
    CHECK(set("d", DEFAULT, with_somebody, COUNT(with_somebody)) == 0);
    fd = open("d", O_TMPFILE | O_RDWR, 0666);
    CHECK(fd >= 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "f", AT_SYMLINK_FOLLOW) == 0);
    CHECK(mode_of("f") == 0660 && get("f", ACCESS, ACL_USER) == 6);
    close(fd);
}

static void nonsense_is_refused(void)
{
    static const struct entry no_mask[] = {
        { ACL_USER_OBJ, 6, 0 },
        { ACL_USER, 6, SOMEBODY },
        { ACL_GROUP_OBJ, 4, 0 },
        { ACL_OTHER, 0, 0 },
    };

    make_file("f", "x", 1);
    CHECK_FAILS(EINVAL, set("f", ACCESS, no_mask, COUNT(no_mask)));
    CHECK_FAILS(EINVAL, setxattr("f", ACCESS, "\2\0\0\0ugo", 7, 0));
    CHECK_FAILS(EACCES, set("f", DEFAULT, with_somebody, COUNT(with_somebody)));
    CHECK(mode_of("f") == 0644);
}

static void may_write(void)
{
    int fd = open("f", O_RDWR);

    CHECK(fd >= 0);
    close(fd);
    CHECK_FAILS(EPERM, chmod("f", 0777));
    CHECK_FAILS(EPERM, set("f", ACCESS, with_somebody, COUNT(with_somebody)));
}

static void may_nothing(void)
{
    CHECK_FAILS(EACCES, open("f", O_RDONLY));
}

static void it_is_obeyed(void)
{
    make_file("f", "x", 1);
    if (geteuid() != 0)
        return;
    CHECK(set("f", ACCESS, with_somebody, COUNT(with_somebody)) == 0);
    as_user(SOMEBODY, SOMEBODY, SOMEBODY, may_write);
    as_user(NOBODY, NOBODY, NOBODY, may_nothing);
    CHECK(chmod("f", 0600) == 0); /* the mask now hides SOMEBODY's entry */
    as_user(SOMEBODY, SOMEBODY, SOMEBODY, may_nothing);
}

static void set_by_owner(void)
{
    CHECK(set("f", ACCESS, with_somebody, COUNT(with_somebody)) == 0);
}

/* Whoever is not of the file's group loses set-gid by setting an ACL. */
static void set_gid(void)
{
    make_file("f", "x", 1);
    if (geteuid() != 0)
        return;
    CHECK(chown("f", NOBODY, SOMEBODY) == 0 && chmod("f", 02770) == 0);
    as_user(NOBODY, NOBODY, SOMEBODY, set_by_owner);
    CHECK(mode_of("f") == 02660);
    as_user(NOBODY, NOBODY, NOBODY, set_by_owner);
    CHECK(mode_of("f") == 0660);
}

PROBE_MAIN(CASE(mode_follows_the_acl), CASE(acl_follows_the_mode),
           CASE(a_plain_one_is_the_mode), CASE(taken_away),
           CASE(default_is_inherited), CASE(unnamed_file_inherits),
           CASE(nonsense_is_refused),
           CASE(it_is_obeyed), CASE(set_gid))
