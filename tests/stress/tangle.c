/* tangle.c - threads making, moving and removing directories under each other.
 *
 *     tangle DIR THREADS SECONDS [SEED]
 *
 * All names come from a small set, so the threads meet all the time, and most
 * calls fail; which of the errors of such a race it is cannot be known.  Any
 * other error is a failure.  Now and then a thread takes what has one of the
 * top names out of the way and removes all below it.
 *
 * At the end the tree is walked: each directory has two links and one for each
 * subdirectory, ".." is the one above, each file has as many links as names, and
 * each name can be looked up.  First by what the kernel may have kept of what it
 * was told, then by what the file system says.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_THREADS = 64, NR_NAMES = 5, MAX_DEPTH = 4, MAX_FILES = 1 << 16 };

/* How long the kernel may keep the attributes of a directory, and more. */
static const useconds_t kept_us = 1500000;

static _Atomic bool stop;
static _Atomic uint64_t calls, successes;
static uint64_t seed;

/* Files seen by the walk: how many names each has, how many it should have. */
static struct {
    uint64_t ino;
    unsigned links, names;
} files[MAX_FILES];
static size_t nr_files;

static _Noreturn void die(const char *format, ...)
{
    int error = errno;
    va_list args;

    va_start(args, format);
    fprintf(stderr, "tangle: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, " (%s; seed %" PRIu64 ")\n", strerror(error), seed);
    _exit(EXIT_FAILURE);
}

/* xorshift64* */
static unsigned random_below(uint64_t *state, unsigned bound)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (unsigned)((*state * 0x2545f4914f6cdd1du) >> 33) % bound;
}

static void random_path(uint64_t *state, char *path)
{
    unsigned depth = 1 + random_below(state, MAX_DEPTH);

    for (unsigned i = 0; i < depth; i++) {
        *path++ = (char)('a' + random_below(state, NR_NAMES));
        *path++ = i + 1 < depth ? '/' : '\0';
    }
}

static bool is_race(int error)
{
    static const int races[] = {
        ENOENT, EEXIST, ENOTEMPTY, EISDIR, ENOTDIR, EINVAL, EPERM, ELOOP
    };

    for (size_t i = 0; i < sizeof(races) / sizeof(races[0]); i++)
        if (error == races[i])
            return true;
    return false;
}

static int make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

    if (fd < 0)
        return -1;
    if (write(fd, path, strlen(path)) != (ssize_t)strlen(path))
        die("write %s", path);
    return close(fd);
}

static int list(const char *path)
{
    DIR *dir = opendir(path);

    if (dir == NULL)
        return -1;
    while (readdir(dir) != NULL)
        ;
    return closedir(dir);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    /* Others may be on their way into it still. */
    if (remove(path) != 0 && !is_race(errno))
        die("remove %s", path);
    return 0;
}

static int remove_tree(uint64_t *state)
{
    char path[2 * MAX_DEPTH + 1], trash[32];

    random_path(state, path);
    path[1] = '\0';
    sprintf(trash, "trash.%llx", (unsigned long long)*state);
    if (rename(path, trash) != 0)
        return -1;
    do {
        nftw(trash, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    } while (access(trash, F_OK) == 0 || errno != ENOENT);
    return 0;
}

static int random_call(uint64_t *state)
{
    char path[2 * MAX_DEPTH + 1], other[2 * MAX_DEPTH + 1];
    unsigned flags[] = { 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };

    if (random_below(state, 2000) == 0)
        return remove_tree(state);
    random_path(state, path);
    random_path(state, other);
    switch (random_below(state, 12)) {
    case 0: case 1: case 2: return mkdir(path, 0755);
    case 3: return rmdir(path);
    case 4: return make_file(path);
    case 5: return unlink(path);
    case 6: return link(path, other);
    case 7: return list(path);
    case 8: return symlink(other, path);
    default:
        return renameat2(AT_FDCWD, path, AT_FDCWD, other,
                         flags[random_below(state, 4)]);
    }
}

static void *work(void *number)
{
    uint64_t state = seed * MAX_THREADS + (uint64_t)(uintptr_t)number + 1;

    while (!atomic_load(&stop)) {
        if (random_call(&state) == 0)
            atomic_fetch_add(&successes, 1);
        else if (!is_race(errno))
            die("an error that is no race");
        atomic_fetch_add(&calls, 1);
    }
    return NULL;
}

static void count_name(const struct statx *sx)
{
    size_t i = 0;

    while (i < nr_files && files[i].ino != sx->stx_ino)
        i++;
    if (i == MAX_FILES)
        die("too many files");
    if (i == nr_files)
        files[nr_files++].names = 0;
    files[i].ino = sx->stx_ino;
    files[i].links = sx->stx_nlink;
    files[i].names++;
}

/* Of the entry itself, not of what a symbolic link names. */
static void attributes(int fd, const char *name, int sync, struct statx *sx)
{
    if (statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | sync,
              STATX_BASIC_STATS, sx) != 0)
        die("%s is listed and cannot be looked up", name);
}

static void walk(int parent, const char *name, ino_t above, int sync)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY);
    DIR *dir = fdopendir(fd);
    struct statx sx, here;
    struct dirent *entry;
    unsigned subdirectories = 0;

    if (dir == NULL)
        die("open %s", name);
    attributes(fd, "", sync, &here);
    attributes(fd, "..", sync, &sx);
    errno = 0;
    if (above != 0 && sx.stx_ino != above)
        die("\"..\" of %s is not the directory above", name);
    while ((entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        attributes(fd, entry->d_name, sync, &sx);
        if (S_ISDIR(sx.stx_mode)) {
            subdirectories++;
            walk(fd, entry->d_name, here.stx_ino, sync);
        } else {
            count_name(&sx);
        }
    }
    errno = 0;
    if (here.stx_nlink != 2 + subdirectories)
        die("%s has %u links and %u subdirectories%s", name, here.stx_nlink,
            subdirectories, sync ? "" : " (perhaps as the kernel keeps it)");
    closedir(dir);
}

static void check(int sync)
{
    nr_files = 0;
    walk(AT_FDCWD, ".", 0, sync);
    errno = 0;
    for (size_t i = 0; i < nr_files; i++)
        if (files[i].links != files[i].names)
            die("inode %" PRIu64 " has %u names and %u links", files[i].ino,
                files[i].names, files[i].links);
}

int main(int argc, char **argv)
{
    pthread_t threads[MAX_THREADS];
    unsigned count;

    if (argc < 4 || chdir(argv[1]) != 0) {
        fputs("usage: tangle DIR THREADS SECONDS [SEED]\n", stderr);
        return 2;
    }
    count = (unsigned)atoi(argv[2]);
    seed = argc > 4 ? strtoumax(argv[4], NULL, 0) : 1;
    if (count == 0 || count > MAX_THREADS)
        die("1 to %d threads", MAX_THREADS);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i) != 0)
            die("thread");
    sleep((unsigned)atoi(argv[3]));
    atomic_store(&stop, true);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    usleep(kept_us);
    check(0);
    check(AT_STATX_FORCE_SYNC);
    if (atomic_load(&successes) == 0)
        die("no call succeeded");
    printf("tangle: %" PRIu64 " calls, %" PRIu64 " of them succeeded "
           "(seed %" PRIu64 ")\n", atomic_load(&calls), atomic_load(&successes),
           seed);
    return EXIT_SUCCESS;
}
