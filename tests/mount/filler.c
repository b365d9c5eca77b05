/* filler.c - fills a file system to ENOSPC and keeps the books.
 *
 *     filler fill DIR WRITERS LEDGER [LENGTH]
 *                                        until every writer has met ENOSPC
 *     filler verify DIR LEDGER           all that was acknowledged is there
 *
 * Each writer is a thread with files of its own, written by random lengths, or
 * with one file, written by LENGTH.
 * What write(2) has acknowledged is in the books; fsync and close must not take
 * it back, and a file is exactly as long as its acknowledged bytes.  The ledger
 * has a line for each file: its name, which is its seed, and its length.
 */
#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_WRITERS = 64, MAX_WRITE = 64 << 10, MAX_FILE = 6 << 20 };
enum { MAX_LENGTH = 1 << 20 };

static const char *directory;
static FILE *ledger;
static size_t fixed; /* length of each write; 0: random */
static pthread_mutex_t ledger_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint64_t total;

static _Noreturn void die(const char *what, uint64_t name)
{
    fprintf(stderr, "filler: file %" PRIu64 ": %s: %s\n", name, what,
            strerror(errno));
    exit(EXIT_FAILURE);
}

static int open_file(uint64_t name, int flags)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/%" PRIu64, directory, name);
    return open(path, flags, 0644);
}

/* True when there is no more space. */
static bool write_file(int fd, uint64_t name, uint64_t size, uint64_t *written)
{
    uint8_t buffer[MAX_LENGTH];

    while (*written < size) {
        size_t length = fixed ? fixed
                              : 1 + blob_word(~name, *written) % MAX_WRITE;
        ssize_t put;

        if (length > size - *written)
            length = size - *written;
        blob_fill(buffer, name, *written, length);
        put = write(fd, buffer, length);
        if (put < 0 && errno == ENOSPC)
            return true;
        if (put <= 0)
            die("write", name);
        *written += (uint64_t)put;
    }
    return false;
}

static bool fill_file(uint64_t name)
{
    uint64_t written = 0;
    bool full;
    int fd = open_file(name, O_WRONLY | O_CREAT | O_EXCL);

    if (fd < 0 && errno == ENOSPC)
        return true;
    if (fd < 0)
        die("create", name);
    full = write_file(fd, name,
                      fixed ? UINT64_MAX : 1 + blob_word(name, 1) % MAX_FILE,
                      &written);
    if (fsync(fd) != 0)
        die("fsync took acknowledged bytes back", name);
    if (close(fd) != 0)
        die("close took acknowledged bytes back", name);
    pthread_mutex_lock(&ledger_lock);
    fprintf(ledger, "%" PRIu64 " %" PRIu64 "\n", name, written);
    pthread_mutex_unlock(&ledger_lock);
    atomic_fetch_add(&total, written);
    return full;
}

static void *writer(void *first)
{
    uint64_t name = (uint64_t)(uintptr_t)first * 1000000;

    while (!fill_file(name))
        name++;
    return NULL;
}

static void fill(int writers)
{
    pthread_t threads[MAX_WRITERS];

    for (int i = 0; i < writers; i++)
        if (pthread_create(&threads[i], NULL, writer, (void *)(uintptr_t)(i + 1)))
            die("thread", 0);
    for (int i = 0; i < writers; i++)
        pthread_join(threads[i], NULL);
}

static void verify_file(uint64_t name, uint64_t size)
{
    static uint8_t buffer[1 << 20];
    int fd = open_file(name, O_RDONLY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        die("open", name);
    if (fsync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
        die("uncache", name);
    errno = 0;
    if ((uint64_t)st.st_size != size)
        die("is not as long as what was acknowledged", name);
    for (uint64_t at = 0; at < size;) {
        ssize_t got = read(fd, buffer, sizeof(buffer));

        if (got <= 0)
            die("read", name);
        if (blob_compare(buffer, name, at, (size_t)got) != (size_t)got)
            die("has a wrong byte", name);
        at += (uint64_t)got;
    }
    close(fd);
    atomic_fetch_add(&total, size);
}

static void verify(void)
{
    uint64_t name, size;

    while (fscanf(ledger, "%" SCNu64 " %" SCNu64, &name, &size) == 2)
        verify_file(name, size);
}

int main(int argc, char **argv)
{
    bool filling = (argc == 5 || argc == 6) && strcmp(argv[1], "fill") == 0;
    int writers = filling ? atoi(argv[3]) : 1;

    if (argc == 6)
        fixed = (size_t)atol(argv[5]);
    if ((!filling && (argc != 4 || strcmp(argv[1], "verify") != 0)) ||
        writers < 1 || writers > MAX_WRITERS || fixed > MAX_LENGTH) {
        fputs("usage: filler fill DIR WRITERS LEDGER [LENGTH] | "
              "verify DIR LEDGER\n",
              stderr);
        return 2;
    }
    directory = argv[2];
    ledger = fopen(argv[filling ? 4 : 3], filling ? "w" : "r");
    if (ledger == NULL)
        die("ledger", 0);
    if (filling)
        fill(writers);
    else
        verify();
    if (fclose(ledger) != 0)
        die("ledger", 0);
    printf("filler: %s: %" PRIu64 " bytes\n", argv[1], atomic_load(&total));
    return EXIT_SUCCESS;
}
