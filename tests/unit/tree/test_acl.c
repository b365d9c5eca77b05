/* test_acl.c - ACLs and permission bits stay in step, and are inherited. */
#include "fixture.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"

struct acl {
    struct posix_acl_xattr_header header;
    struct posix_acl_xattr_entry entry[600];
    size_t size;
};

/* "u7 U5:1000 g4 G3:50 m6 o0": capitals have an id. */
static struct acl acl_of(const char *text)
{
    static const char tags[] = "uUgGmo";
    struct acl acl = { .header = { POSIX_ACL_XATTR_VERSION } };
    unsigned n = 0;

    for (; *text; n++) {
        acl.entry[n].e_tag = (uint16_t)(1u << (strchr(tags, text[0]) - tags));
        acl.entry[n].e_perm = (uint16_t)(text[1] - '0');
        acl.entry[n].e_id = text[2] == ':' ? (uint32_t)atoi(text + 3)
                                           : (uint32_t)ACL_UNDEFINED_ID;
        text += strcspn(text, " ");
        text += *text == ' ';
    }
    acl.size = sizeof(acl.header) + n * sizeof(acl.entry[0]);
    return acl;
}

static int set(struct fixture *f, const struct tree_cred *cred, uint64_t id,
               const char *name, const char *text)
{
    struct acl acl = acl_of(text);

    return tree_setxattr(f->tree, cred, id, name, &acl, acl.size, 0, true);
}

static void acl_is(struct fixture *f, uint64_t id, const char *name,
                   const char *text)
{
    struct acl want = acl_of(text), acl;
    ssize_t size = tree_getxattr(f->tree, id, name, &acl, sizeof(acl));

    if (!*text) {
        ck_assert_int_eq(size, -ENODATA);
        return;
    }
    ck_assert_int_eq(size, (ssize_t)want.size);
    ck_assert_mem_eq(&acl, &want, want.size);
}

static unsigned perm_of(struct fixture *f, uint64_t id)
{
    return attr_of(f, id).mode & 07777;
}

static void chmod_to(struct fixture *f, uint64_t id, unsigned perm)
{
    struct tree_attr attr = { .mode = perm };

    ck_assert_int_eq(tree_setattr(f->tree, &root_cred, id, TREE_SET_MODE, &attr,
                                  true, &attr), 0);
}

START_TEST(the_mode_follows_the_acl)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, "u7 U5:1000 g1 m6 o2"), 0);
    ck_assert_uint_eq(perm_of(&f, id), 0762);
    acl_is(&f, id, ACCESS, "u7 U5:1000 g1 m6 o2");
    fixture_stop(&f);
}
END_TEST

START_TEST(a_minimal_acl_is_a_mode)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, "u7 U5:1000 g1 m6 o2"), 0);
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, "u6 g4 o0"), 0);
    ck_assert_uint_eq(perm_of(&f, id), 0640);
    acl_is(&f, id, ACCESS, "");
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, "u6 g4 m0 o0"), 0);
    ck_assert_uint_eq(perm_of(&f, id), 0600);
    acl_is(&f, id, ACCESS, "u6 g4 m0 o0");
    fixture_stop(&f);
}
END_TEST

START_TEST(the_acl_follows_chmod)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, "u7 U5:1000 g1 m6 o2"), 0);
    chmod_to(&f, id, 04135);
    ck_assert_uint_eq(perm_of(&f, id), 04135);
    acl_is(&f, id, ACCESS, "u1 U5:1000 g1 m3 o5");
    fixture_stop(&f);
}
END_TEST

START_TEST(removing_leaves_the_mode)
{
    struct fixture f = { 0 };
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, "u7 g1 m6 o2"), 0);
    ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, id, ACCESS), 0);
    ck_assert_uint_eq(perm_of(&f, id), 0762);
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, "u7 g1 m6 o2"), 0);
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, ""), 0);
    acl_is(&f, id, ACCESS, "");
    ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, id, ACCESS), 0);
    chmod_to(&f, id, 02600);
    ck_assert_int_eq(tree_removexattr(f.tree, &user_cred, id, DEFAULT), 0);
    ck_assert_uint_eq(perm_of(&f, id), 02600);
    ck_assert_int_eq(tree_removexattr(f.tree, &user_cred, id, ACCESS), 0);
    ck_assert_uint_eq(perm_of(&f, id), 0600); /* not of the file's group */
    chmod_to(&f, id, 0600);
    ck_assert_uint_eq(perm_of(&f, id), 0600);
    fixture_stop(&f);
}
END_TEST

START_TEST(what_is_not_valid_is_refused)
{
    static const char *const bad[] = {
        "u7 g1",              /* others missing */
        "u7 o1",              /* group missing */
        "g1 o1",              /* owner missing */
        "u7 U5:1 g1 o1",      /* no mask for an id */
        "g1 u7 o1",           /* order */
        "u7 u7 g1 o1",        /* twice */
        "u8 g1 o1",           /* permission */
        "u7 U5 g1 m1 o1",     /* no id */
    };
    struct fixture f = { 0 };
    struct acl acl = acl_of("u7 g1 o1");
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
        ck_assert_msg(set(&f, &root_cred, id, ACCESS, bad[i]) == -EINVAL, "%s",
                      bad[i]);
#define SET(size) \
    tree_setxattr(f.tree, &root_cred, id, ACCESS, &acl, size, 0, true)
    ck_assert_int_eq(SET(acl.size - 1), -EINVAL);
    ck_assert_int_eq(SET(3), -EINVAL);
    ck_assert_int_eq(SET(0), -EINVAL);
    ck_assert_int_eq(SET(4100), -E2BIG);
    acl.entry[2].e_tag = 0x40;
    ck_assert_int_eq(SET(acl.size), -EINVAL);
    acl.entry[2].e_tag = 0;
    ck_assert_int_eq(SET(acl.size), -EINVAL);
    acl.header.a_version = 1;
    ck_assert_int_eq(SET(acl.size), -EOPNOTSUPP);
    ck_assert_uint_eq(perm_of(&f, id), 0644);
    ck_assert_int_eq(set(&f, &root_cred, id, DEFAULT, "u7 g1 o1"), -EACCES);
    ck_assert_int_eq(set(&f, &root_cred, id, DEFAULT, ""), 0);
    ck_assert_int_eq(set(&f, &root_cred, mk_symlink(&f, TREE_ROOT, "l", "x"),
                         ACCESS, "u7 g1 o1"), -EOPNOTSUPP);
    fixture_stop(&f);
}
END_TEST

/* Whether it is one the kernel says when an ACL is set, and /proc when it is
 * removed. */
START_TEST(a_stranger_loses_setgid)
{
    struct fixture f = { 0 };
    const struct tree_cred owner = { .uid = 5, .gid = 7 };
    struct acl acl = acl_of("u7 g5 o5");
    uint64_t id;

    fixture_start(&f);
    id = mk_file(&f, TREE_ROOT, "x");
    chmod_to(&f, id, 02755);
    ck_assert_int_eq(set(&f, &root_cred, id, ACCESS, "u7 g5 o5"), 0);
    ck_assert_uint_eq(perm_of(&f, id), 02755);
    ck_assert_int_eq(set(&f, &owner, id, ACCESS, "u7 g5 o5"), 0);
    ck_assert_uint_eq(perm_of(&f, id), 02755);
    ck_assert_int_eq(tree_setxattr(f.tree, &owner, id, ACCESS, &acl, acl.size,
                                   TREE_XATTR_KILL_SGID, true), 0);
    ck_assert_uint_eq(perm_of(&f, id), 0755);
    chmod_to(&f, id, 02755);
    ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, id, ACCESS), 0);
    ck_assert_uint_eq(perm_of(&f, id), 02755);
    ck_assert_int_eq(tree_removexattr(f.tree, &owner, id, ACCESS), 0);
    ck_assert_uint_eq(perm_of(&f, id), 0755);
    fixture_stop(&f);
}
END_TEST

static uint64_t made(struct fixture *f, uint64_t dir, const char *name,
                     mode_t mode)
{
    struct tree_cred cred = { .uid = 5, .umask = 077 };
    struct tree_entry entry;

    ck_assert_int_eq(tree_mknod(f->tree, &cred, dir, name, mode, 0, true,
                                &entry), 0);
    return entry.id;
}

START_TEST(a_default_acl_takes_the_place_of_the_umask)
{
    struct fixture f = { 0 };
    uint64_t dir, file, sub;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    ck_assert_int_eq(set(&f, &root_cred, dir, DEFAULT, "u7 U6:9 g5 m7 o5"), 0);
    ck_assert_uint_eq(perm_of(&f, dir), 0755);
    acl_is(&f, dir, ACCESS, "");
    file = made(&f, dir, "file", S_IFREG | 0664);
    ck_assert_uint_eq(perm_of(&f, file), 0664);
    acl_is(&f, file, ACCESS, "u6 U6:9 g5 m6 o4");
    acl_is(&f, file, DEFAULT, "");
    sub = made(&f, dir, "sub", S_IFDIR | 0777);
    ck_assert_uint_eq(perm_of(&f, sub), 0775);
    acl_is(&f, sub, ACCESS, "u7 U6:9 g5 m7 o5");
    acl_is(&f, sub, DEFAULT, "u7 U6:9 g5 m7 o5");
    acl_is(&f, mk_symlink(&f, dir, "l", "x"), ACCESS, "");
    fixture_stop(&f);
}
END_TEST

START_TEST(a_minimal_default_acl_is_a_mode_below)
{
    struct fixture f = { 0 };
    uint64_t dir, file, sub;

    fixture_start(&f);
    dir = mk_dir(&f, TREE_ROOT, "dir");
    ck_assert_int_eq(set(&f, &root_cred, dir, DEFAULT, "u7 g5 o0"), 0);
    acl_is(&f, dir, DEFAULT, "u7 g5 o0");
    file = made(&f, dir, "file", S_IFREG | 0666);
    ck_assert_uint_eq(perm_of(&f, file), 0640);
    acl_is(&f, file, ACCESS, "");
    sub = made(&f, dir, "sub", S_IFDIR | 0777);
    acl_is(&f, sub, DEFAULT, "u7 g5 o0");
    ck_assert_int_eq(tree_removexattr(f.tree, &root_cred, dir, DEFAULT), 0);
    ck_assert_uint_eq(perm_of(&f, made(&f, dir, "f2", S_IFREG | 0666)), 0600);
    fixture_stop(&f);
}
END_TEST

START_TEST(a_tmpfile_inherits_too)
{
    struct fixture f = { 0 };
    struct tree_entry entry;

    fixture_start(&f);
    ck_assert_int_eq(set(&f, &root_cred, TREE_ROOT, DEFAULT,
                         "u7 U6:9 g5 m7 o5"), 0);
    ck_assert_int_eq(tree_tmpfile(f.tree, &user_cred, TREE_ROOT, 0600, true,
                                  &entry), 0);
    acl_is(&f, entry.id, ACCESS, "u6 U6:9 g5 m0 o0");
    fixture_stop(&f);
}
END_TEST

START_TEST(without_acls_there_are_none)
{
    struct fixture f = { .config = { .no_acl = true } };
    char buffer[8];

    fixture_start(&f);
    ck_assert_int_eq(set(&f, &root_cred, TREE_ROOT, ACCESS, "u7 g5 o5"),
                     -EOPNOTSUPP);
    ck_assert_int_eq(tree_getxattr(f.tree, TREE_ROOT, DEFAULT, buffer, 8),
                     -EOPNOTSUPP);
    fixture_stop(&f);
}
END_TEST

/* As many entries as the kernel lets through: a page. */
START_TEST(the_largest_acl)
{
    struct fixture f = { 0 };
    struct acl acl = acl_of("u7 g5 m7 o5"), out;
    unsigned nr = (PAGE_SIZE - 4) / 8;
    uint64_t id;

    fixture_start(&f);
    id = mk_dir(&f, TREE_ROOT, "dir");
    memmove(&acl.entry[nr - 3], &acl.entry[1], 3 * sizeof(acl.entry[0]));
    for (unsigned i = 1; i < nr - 3; i++)
        acl.entry[i] = (struct posix_acl_xattr_entry){ ACL_USER, 4, i };
    acl.size = sizeof(acl.header) + nr * sizeof(acl.entry[0]);
    ck_assert_int_eq(tree_setxattr(f.tree, &root_cred, id, DEFAULT, &acl,
                                   acl.size, 0, true), 0);
    id = mk_file(&f, id, "x");
    ck_assert_int_eq(tree_getxattr(f.tree, id, ACCESS, &out, sizeof(out)),
                     (ssize_t)acl.size);
    chmod_to(&f, id, 0);
    ck_assert_int_eq(tree_getxattr(f.tree, id, ACCESS, &out, sizeof(out)),
                     (ssize_t)acl.size);
    ck_assert_uint_eq(out.entry[nr - 1].e_perm, 0);
    ck_assert_uint_eq(out.entry[100].e_id, 100);
    fixture_stop(&f);
}
END_TEST

UNIT_MAIN("acl", the_mode_follows_the_acl, a_minimal_acl_is_a_mode,
          the_acl_follows_chmod, removing_leaves_the_mode,
          what_is_not_valid_is_refused, a_stranger_loses_setgid,
          a_default_acl_takes_the_place_of_the_umask,
          a_minimal_default_acl_is_a_mode_below, a_tmpfile_inherits_too,
          without_acls_there_are_none, the_largest_acl)
