/* Extended attributes: every namespace, flags, sizes, lists, and their space. */
#include "probe.h"

#include <sys/xattr.h>

enum { VALUE_MAX = 65536 };

static void set_get_remove(const char *path, const char *name)
{
    char value[16];

    CHECK_FAILS(ENODATA, lgetxattr(path, name, value, sizeof(value)));
    CHECK(lsetxattr(path, name, "a\0b", 3, 0) == 0);
    CHECK(lgetxattr(path, name, NULL, 0) == 3);
    CHECK_FAILS(ERANGE, lgetxattr(path, name, value, 2));
    CHECK(lgetxattr(path, name, value, sizeof(value)) == 3);
    CHECK(memcmp(value, "a\0b", 3) == 0);
    CHECK(lsetxattr(path, name, "", 0, 0) == 0);
    CHECK(lgetxattr(path, name, value, sizeof(value)) == 0);
    CHECK(lremovexattr(path, name) == 0);
    CHECK_FAILS(ENODATA, lremovexattr(path, name));
}

static void namespaces(void)
{
    make_file("f", "x", 1);
    CHECK(mkdir("d", 0755) == 0 && symlink("f", "l") == 0);
    set_get_remove("f", "user.a");
    set_get_remove("d", "user.a");
    CHECK_FAILS(EPERM, lsetxattr("l", "user.a", "1", 1, 0));
    CHECK_FAILS(EOPNOTSUPP, setxattr("f", "nowhere.a", "1", 1, 0));
    if (geteuid() != 0)
        return;
    set_get_remove("f", "trusted.a");
    set_get_remove("l", "trusted.a");
    set_get_remove("f", "security.a");
    if (!on_tmpfs()) {
        set_get_remove("f", "gnu.translator");
        set_get_remove("d", "gnu.translator");
    }
}

static void create_and_replace(void)
{
    make_file("f", "x", 1);
    CHECK_FAILS(ENODATA, setxattr("f", "user.a", "1", 1, XATTR_REPLACE));
    CHECK(setxattr("f", "user.a", "1", 1, XATTR_CREATE) == 0);
    CHECK_FAILS(EEXIST, setxattr("f", "user.a", "2", 1, XATTR_CREATE));
    CHECK(setxattr("f", "user.a", "2", 1, XATTR_REPLACE) == 0);
}

static void all_sizes(void)
{
    static char value[VALUE_MAX + 1], back[VALUE_MAX];
    int fd;

    make_file("f", "x", 1);
    fd = open("f", O_RDWR);
    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = (char)(i % 251);
    for (size_t size = 1; size <= VALUE_MAX; size = size * 4 / 3 + 1) {
        CHECK(fsetxattr(fd, "user.a", value, size, 0) == 0);
        CHECK(fgetxattr(fd, "user.a", back, VALUE_MAX) == (ssize_t)size);
        CHECK(memcmp(value, back, size) == 0);
    }
    CHECK(fsetxattr(fd, "user.a", value, VALUE_MAX, 0) == 0);
    CHECK(fgetxattr(fd, "user.a", back, VALUE_MAX) == VALUE_MAX);
    CHECK(memcmp(value, back, VALUE_MAX) == 0);
    CHECK_FAILS(E2BIG, fsetxattr(fd, "user.a", value, VALUE_MAX + 1, 0));
    close(fd);
}

static void names(void)
{
    char name[257 + 1] = "user.";

    make_file("f", "x", 1);
    memset(name + 5, 'n', 250);
    CHECK(setxattr("f", name, "1", 1, 0) == 0);
    CHECK(getxattr("f", name, NULL, 0) == 1);
    CHECK(listxattr("f", NULL, 0) == 256);
    memset(name + 5, 'n', 251);
    CHECK_FAILS(ERANGE, setxattr("f", name, "1", 1, 0));
    CHECK_FAILS(EINVAL, setxattr("f", "user.", "1", 1, 0));
}

/* Each of the thousand once, in whatever order. */
static void a_long_list(void)
{
    static char list[32768];
    bool seen[1000] = { false };
    char name[32];
    ssize_t got;
    int number, count = 0;

    make_file("f", "x", 1);
    CHECK(listxattr("f", list, sizeof(list)) == 0);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "user.number-%d", i);
        CHECK(setxattr("f", name, name, strlen(name), 0) == 0);
    }
    got = listxattr("f", NULL, 0);
    CHECK(got == listxattr("f", list, sizeof(list)));
    CHECK_FAILS(ERANGE, listxattr("f", list, (size_t)got - 1));
    for (char *at = list; at < list + got; at += strlen(at) + 1) {
        CHECK(sscanf(at, "user.number-%d", &number) == 1 && !seen[number]);
        seen[number] = true;
        count++;
    }
    CHECK(count == 1000);
}

static void they_stay_with_the_file(void)
{
    char value;

    make_file("f", "x", 1);
    CHECK(setxattr("f", "user.a", "1", 1, 0) == 0);
    CHECK(link("f", "g") == 0 && unlink("f") == 0 && rename("g", "h") == 0);
    CHECK(getxattr("h", "user.a", &value, 1) == 1 && value == '1');
    make_file("f", "x", 1);
    CHECK_FAILS(ENODATA, getxattr("f", "user.a", &value, 1));
}

static void setting_moves_ctime(void)
{
    struct timespec before, after;

    make_file("f", "x", 1);
    before = stat_of("f").st_ctim;
    usleep(20000);
    CHECK(setxattr("f", "user.a", "1", 1, 0) == 0);
    after = stat_of("f").st_ctim;
    CHECK(before.tv_sec != after.tv_sec || before.tv_nsec != after.tv_nsec);
}

/* They count against the size of the file system, which therefore ends them. */
static void they_take_space(void)
{
    static char value[VALUE_MAX];
    fsblkcnt_t before;
    char name[32];
    int i = 0;

    if (on_tmpfs())
        return;
    make_file("f", "x", 1);
    before = free_blocks();
    do
        snprintf(name, sizeof(name), "user.%d", i++);
    while (setxattr("f", name, value, sizeof(value), 0) == 0);
    CHECK(errno == ENOSPC && i > 2);
    CHECK(free_blocks() < before);
    for (int j = 0; j < i - 1; j++) {
        snprintf(name, sizeof(name), "user.%d", j);
        CHECK(removexattr("f", name) == 0);
    }
    CHECK(free_blocks() == before);
}

/* The values of all namespaces may be as large, of any bytes, and are told by
 * the free space while they last. */
static void as_large_in(const char *path, const char *name)
{
    static uint8_t value[VALUE_MAX + 1], back[VALUE_MAX];
    fsblkcnt_t before = free_blocks();

    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = (uint8_t)(i % 7 * (i >> 8)); /* with many NULs */
    CHECK_FAILS(E2BIG, lsetxattr(path, name, value, VALUE_MAX + 1, 0));
    CHECK_FAILS(ENODATA, lgetxattr(path, name, NULL, 0));
    CHECK(lsetxattr(path, name, value, VALUE_MAX, XATTR_CREATE) == 0);
    CHECK(lgetxattr(path, name, NULL, 0) == VALUE_MAX);
    CHECK(lgetxattr(path, name, back, VALUE_MAX) == VALUE_MAX);
    CHECK(memcmp(value, back, VALUE_MAX) == 0);
    CHECK_FAILS(EEXIST, lsetxattr(path, name, "", 0, XATTR_CREATE));
    CHECK(free_blocks() + VALUE_MAX / PAGE <= before);
    CHECK(lremovexattr(path, name) == 0);
    CHECK_FAILS(ENODATA, lsetxattr(path, name, "", 0, XATTR_REPLACE));
    CHECK(free_blocks() == before);
}

static void large_in_every_namespace(void)
{
    if (on_tmpfs()) /* it does not count them in its size */
        return;
    make_file("f", "x", 1);
    CHECK(mkdir("d", 0755) == 0 && symlink("f", "l") == 0);
    as_large_in("f", "user.a");
    as_large_in("d", "user.a");
    as_large_in("f", "gnu.translator");
    as_large_in("d", "gnu.translator");
    as_large_in("l", "gnu.translator");
    if (geteuid() != 0)
        return;
    as_large_in("f", "trusted.a");
    as_large_in("l", "trusted.a");
    as_large_in("f", "security.a");
}

static void not_the_owner(void)
{
    char record[32];

    CHECK(getxattr("f", "gnu.translator", record, sizeof(record)) == 17);
    CHECK_FAILS(EPERM, setxattr("f", "gnu.translator", "x", 1, 0));
    CHECK_FAILS(EPERM, removexattr("f", "gnu.translator"));
}

/* The Hurd's passive translator: its arguments, each ended by a NUL.  It is
 * listed, goes where the file goes, and is the owner's to set. */
static void a_translator(void)
{
    static const char record[] = "/hurd/null\0-r\0xy"; /* ends with a NUL */
    char back[32], list[32];
    struct stat before;

    if (on_tmpfs())
        return;
    make_file("f", "x", 1);
    before = stat_of("f");
    CHECK(setxattr("f", "gnu.translator", record, sizeof(record), 0) == 0);
    CHECK(stat_of("f").st_mode == before.st_mode);
    CHECK(listxattr("f", list, sizeof(list)) == 15);
    CHECK(strcmp(list, "gnu.translator") == 0);
    CHECK(link("f", "g") == 0 && unlink("f") == 0 && rename("g", "f") == 0);
    CHECK(getxattr("f", "gnu.translator", back, sizeof(back)) ==
          sizeof(record));
    CHECK(memcmp(back, record, sizeof(record)) == 0);
    CHECK_FAILS(EOPNOTSUPP, setxattr("f", "gnu.author", "x", 1, 0));
    CHECK_FAILS(EOPNOTSUPP, setxattr("f", "gnu.translator.a", "x", 1, 0));
    if (geteuid() == 0) {
        CHECK(chmod("f", 0666) == 0);
        as_user(1234, 1234, 1234, not_the_owner);
    }
    CHECK(removexattr("f", "gnu.translator") == 0);
    CHECK(listxattr("f", list, sizeof(list)) == 0);
}

/* What a file had of them is free when it is deleted. */
static void they_go_with_the_file(void)
{
    static char value[VALUE_MAX];
    fsblkcnt_t before;

    if (on_tmpfs())
        return;
    make_file("before", "x", 1);
    before = free_blocks();
    CHECK(mkdir("d", 0755) == 0);
    CHECK(setxattr("d", "user.a", value, VALUE_MAX, 0) == 0);
    CHECK(setxattr("d", "user.b", value, VALUE_MAX, 0) == 0);
    CHECK(rmdir("d") == 0);
    for (int i = 0; i < 200 && free_blocks() != before; i++)
        ; /* until the kernel has forgotten it */
    CHECK(free_blocks() == before);
}

static void lists_without_trusted(void)
{
    char list[64];

    CHECK(listxattr("f", list, sizeof(list)) == 7);
    CHECK(strcmp(list, "user.a") == 0);
    CHECK_FAILS(ENODATA, getxattr("f", "trusted.a", list, sizeof(list)));
    CHECK_FAILS(EPERM, setxattr("f", "trusted.b", "1", 1, 0));
    CHECK_FAILS(EACCES, setxattr("f", "user.b", "1", 1, 0));
}

static void others(void)
{
    make_file("f", "x", 1);
    CHECK(setxattr("f", "user.a", "1", 1, 0) == 0);
    if (geteuid() != 0)
        return;
    CHECK(setxattr("f", "trusted.a", "1", 1, 0) == 0);
    CHECK(listxattr("f", NULL, 0) == 7 + 10);
    as_user(1234, 1234, 1234, lists_without_trusted);
}

PROBE_MAIN(CASE(namespaces), CASE(create_and_replace), CASE(all_sizes),
           CASE(names), CASE(a_long_list), CASE(they_stay_with_the_file),
           CASE(setting_moves_ctime), CASE(they_take_space),
           CASE(large_in_every_namespace), CASE(a_translator),
           CASE(they_go_with_the_file), CASE(others))
