/* meta.c - how many operations on names a second a folder takes.
 *
 *     meta DIR COUNT
 *
 * Makes COUNT files in folders of 1000 below DIR, does one thing after the other
 * with all of them, and takes them away again.  Prints a line for each: the name
 * of the operation and operations a second; none for what the file system does
 * not know.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PER_FOLDER = 1000, NAME_BYTES = 64 };

static unsigned count;

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "%s %s: %s\n", what, name, strerror(errno));
    exit(1);
}

static const char *name_of(char name[NAME_BYTES], const char *kind, unsigned i)
{
    snprintf(name, NAME_BYTES, "d%u/%s%u", i / PER_FOLDER, kind, i);
    return name;
}

static void folder_of(char name[NAME_BYTES], unsigned i)
{
    snprintf(name, NAME_BYTES, "d%u", i);
}

/* --- one operation each: 0, or -1 and errno --------------------------------- */

static int opened(int fd)
{
    return fd < 0 ? -1 : close(fd);
}

static int op_create(unsigned i)
{
    char name[NAME_BYTES];

    return opened(open(name_of(name, "f", i), O_WRONLY | O_CREAT | O_EXCL, 0644));
}

static int op_stat(unsigned i)
{
    char name[NAME_BYTES];
    struct stat st;

    return stat(name_of(name, "f", i), &st);
}

static int op_absent(unsigned i)
{
    char name[NAME_BYTES];
    struct stat st;

    return stat(name_of(name, "none", i), &st) < 0 && errno == ENOENT ? 0 : -1;
}

static int op_open(unsigned i)
{
    char name[NAME_BYTES];

    return opened(open(name_of(name, "f", i), O_RDONLY));
}

static int op_write(unsigned i)
{
    static const char page[4096] = "x";
    char name[NAME_BYTES];
    int fd = open(name_of(name, "f", i), O_WRONLY);

    if (fd < 0 || write(fd, page, sizeof(page)) != (ssize_t)sizeof(page))
        return -1;
    return close(fd);
}

static int op_chmod(unsigned i)
{
    char name[NAME_BYTES];

    return chmod(name_of(name, "f", i), 0600);
}

static int op_rename(unsigned i)
{
    char from[NAME_BYTES], to[NAME_BYTES];

    return rename(name_of(from, "f", i), name_of(to, "g", i));
}

static int op_link(unsigned i)
{
    char from[NAME_BYTES], to[NAME_BYTES];

    return link(name_of(from, "g", i), name_of(to, "l", i));
}

static int op_symlink(unsigned i)
{
    char name[NAME_BYTES];

    return symlink("somewhere", name_of(name, "s", i));
}

static int op_mkdir(unsigned i)
{
    char name[NAME_BYTES];

    return mkdir(name_of(name, "m", i), 0755);
}

static int op_rmdir(unsigned i)
{
    char name[NAME_BYTES];

    return rmdir(name_of(name, "m", i));
}

static int op_unlink(unsigned i)
{
    char name[NAME_BYTES];

    return unlink(name_of(name, "g", i));
}

/* --- all of them ------------------------------------------------------------- */

/* Entries a second, of listings with the attributes of each. */
static void list_all(void)
{
    double began = now();
    unsigned entries = 0;

    for (unsigned i = 0; i * PER_FOLDER < count; i++) {
        char name[NAME_BYTES];
        struct dirent *entry;
        DIR *dir;

        folder_of(name, i);
        dir = opendir(name);
        if (!dir)
            fail("opendir", name);
        while ((entry = readdir(dir)) != NULL) {
            struct stat st;

            if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                fail("stat", entry->d_name);
            entries++;
        }
        closedir(dir);
    }
    printf("list %.0f\n", entries / (now() - began));
}

static void measure(const char *name, int (*op)(unsigned i))
{
    double began = now();

    for (unsigned i = 0; i < count; i++) {
        if (op(i) == 0)
            continue;
        if (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM)
            return;
        fail(name, "a name");
    }
    printf("%s %.0f\n", name, count / (now() - began));
}

int main(int argc, char **argv)
{
    char name[NAME_BYTES];

    if (argc != 3 || (count = (unsigned)strtoul(argv[2], NULL, 10)) == 0) {
        fprintf(stderr, "usage: meta DIR COUNT\n");
        return 2;
    }
    if (chdir(argv[1]) < 0)
        fail("chdir", argv[1]);
    for (unsigned i = 0; i * PER_FOLDER < count; i++) {
        folder_of(name, i);
        if (mkdir(name, 0755) < 0)
            fail("mkdir", name);
    }
    measure("create", op_create);
    measure("stat", op_stat);
    measure("absent", op_absent);
    measure("open", op_open);
    measure("chmod", op_chmod);
    measure("smallwrite", op_write);
    measure("rename", op_rename);
    measure("symlink", op_symlink);
    measure("link", op_link);
    measure("mkdir", op_mkdir);
    list_all();
    measure("rmdir", op_rmdir);
    measure("unlink", op_unlink);
    for (unsigned i = 0; i < count; i++) {
        unlink(name_of(name, "l", i));
        unlink(name_of(name, "s", i));
    }
    for (unsigned i = 0; i * PER_FOLDER < count; i++) {
        folder_of(name, i);
        rmdir(name);
    }
    return 0;
}
