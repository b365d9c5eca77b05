/* entries.c - makes, reads and removes very many files.
 *
 *     entries make DIR COUNT PER_DIR BYTES   PER_DIR 0: all in one directory
 *     entries check DIR COUNT PER_DIR BYTES  each is there once, with its bytes
 *     entries remove DIR COUNT PER_DIR BYTES
 *
 * The time of the first tenth is compared with that of the last: an operation
 * whose cost grows with the number of files is refused, not only slow.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BYTES = 4096 };
/* A last tenth this many times as slow as the first is quadratic, once it
 * takes long enough not to be chance. */
static const double slower = 5.0, seconds_of_chance = 1.0;

static long count, per_dir, bytes;

static _Noreturn void die(const char *format, ...)
{
    int error = errno;
    va_list args;

    va_start(args, format);
    fputs("entries: ", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (%s)\n", strerror(error));
    exit(EXIT_FAILURE);
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void path_of(char *path, long i)
{
    if (per_dir != 0)
        sprintf(path, "d%ld/%ld", i / per_dir, i);
    else
        sprintf(path, "%ld", i);
}

static void content_of(char *content, long i)
{
    memset(content, 'a' + (int)(i % 26), (size_t)bytes);
}

static void make_one(long i)
{
    char path[64], content[MAX_BYTES];
    int fd;

    if (per_dir != 0 && i % per_dir == 0) {
        sprintf(path, "d%ld", i / per_dir);
        if (mkdir(path, 0755) != 0)
            die("mkdir %s", path);
    }
    path_of(path, i);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    if (fd < 0)
        die("create %s", path);
    content_of(content, i);
    if (write(fd, content, (size_t)bytes) != bytes || close(fd) != 0)
        die("write %s", path);
}

static void check_one(long i)
{
    char path[64], wanted[MAX_BYTES], content[MAX_BYTES + 1];
    struct stat st;
    int fd;

    path_of(path, i);
    if (stat(path, &st) != 0 || st.st_size != bytes)
        die("stat %s", path);
    if (bytes == 0)
        return;
    fd = open(path, O_RDONLY);
    content_of(wanted, i);
    if (fd < 0 || read(fd, content, sizeof(content)) != bytes ||
        memcmp(wanted, content, (size_t)bytes) != 0)
        die("content of %s", path);
    close(fd);
}

static void remove_one(long i)
{
    char path[64];

    path_of(path, i);
    if (unlink(path) != 0)
        die("unlink %s", path);
    if (per_dir != 0 && (i % per_dir == per_dir - 1 || i == count - 1)) {
        sprintf(path, "d%ld", i / per_dir);
        if (rmdir(path) != 0)
            die("rmdir %s", path);
    }
}

/* Every file of one directory is listed exactly once. */
static void list(const char *path, long first, long last)
{
    uint8_t *seen = calloc((size_t)(last - first), 1);
    struct dirent *entry;
    long listed = 0;
    DIR *dir = opendir(path);

    if (seen == NULL || dir == NULL)
        die("%s", path);
    while ((entry = readdir(dir)) != NULL) {
        long i = atol(entry->d_name);

        if (entry->d_name[0] == '.')
            continue;
        if (i < first || i >= last || seen[i - first]++ != 0)
            die("%s/%s is listed and should not be", path, entry->d_name);
        listed++;
    }
    if (listed != last - first)
        die("%s lists %ld entries, not %ld", path, listed, last - first);
    closedir(dir);
    free(seen);
}

static void list_all(void)
{
    char path[64];

    if (per_dir == 0)
        list(".", 0, count);
    for (long first = 0; per_dir != 0 && first < count; first += per_dir) {
        sprintf(path, "d%ld", first / per_dir);
        list(path, first, first + per_dir < count ? first + per_dir : count);
    }
}

static void each(const char *what, void (*one)(long i))
{
    long tenth = count / 10;
    double begin = now(), first_tenth = 0, last_tenth = 0;

    for (long i = 0; i < count; i++) {
        one(i);
        if (i == tenth)
            first_tenth = now() - begin;
        if (i == count - tenth)
            last_tenth = now();
    }
    last_tenth = now() - last_tenth;
    printf("entries: %s %ld in %.2f s, first tenth %.2f s, last %.2f s\n", what,
           count, now() - begin, first_tenth, last_tenth);
    errno = 0;
    if (last_tenth > seconds_of_chance && last_tenth > slower * first_tenth)
        die("%s gets slower with every file", what);
}

int main(int argc, char **argv)
{
    if (argc != 6 || chdir(argv[2]) != 0)
        die("usage: entries make|check|remove DIR COUNT PER_DIR BYTES");
    count = atol(argv[3]);
    per_dir = atol(argv[4]);
    bytes = atol(argv[5]);
    if (bytes > MAX_BYTES)
        die("at most %d bytes a file", MAX_BYTES);
    if (strcmp(argv[1], "make") == 0) {
        each("make", make_one);
    } else if (strcmp(argv[1], "check") == 0) {
        double begin = now();

        list_all();
        printf("entries: list %ld in %.2f s\n", count, now() - begin);
        each("check", check_one);
    } else if (strcmp(argv[1], "remove") == 0) {
        each("remove", remove_one);
    } else {
        die("%s: what?", argv[1]);
    }
    return EXIT_SUCCESS;
}
