/* The same random operations on two file systems, one after the other, until
 * something differs.   differ SEED OPERATIONS FOLDER FOLDER
 *
 * The names are few, so that operations meet; most fail, in all the ways there
 * are.  The caller is root or one of two users.  Compared after each operation:
 * what it returned, errno, and what it read; then every file that there is: its
 * type, mode, owner, links, size, blocks, that what is one file under two names
 * here is so there, and which of mtime and ctime have moved, or the time that
 * they were set to.  Now and then all bytes, too.
 *
 * Left out: atime, which FUSE moves only when the daemon sees the read; times of
 * fifos, whose bytes no FUSE daemon sees; and blocks of symbolic links, which are
 * where tmpfs happens to keep their target.
 *
 * So that every move shows, an operation waits for the clock that the kernel
 * takes time stamps from to tick. */
#include "differ.h"
#include "probe.h"

#include <time.h>

enum { MAX_FILES = 4000, BYTES_EVERY = 50, OLD = 100000 };

struct file {
    char path[256];
    struct stat st;
    bool moved[2]; /* mtime, ctime */
};

struct look {
    struct file files[MAX_FILES];
    size_t count;
};

static const char *folders[2];
static uint64_t state;
static struct look looks[2][2]; /* now and before, by turns; of each side */
static unsigned turn, number;
static int side;

uint32_t any(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static _Noreturn void differs(const char *what, const char *path, long a, long b)
{
    fprintf(stderr, "operation %u: %s\n%s differs: %s %ld here, %ld there\n",
            number, operation_text(), what, path, a, b);
    exit(EXIT_FAILURE);
}

/* --- looking at everything ------------------------------------------------ */

static bool moved(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec || a.tv_nsec != b.tv_nsec;
}

static int add_file(const char *path, const struct stat *st, int type,
                    struct FTW *ftw)
{
    const struct look *old = &looks[!turn][side];
    struct look *look = &looks[turn][side];
    struct file *file = &look->files[look->count++];

    (void)type;
    (void)ftw;
    CHECK(look->count < MAX_FILES && strlen(path) < sizeof(file->path));
    strcpy(file->path, path);
    file->st = *st;
    file->moved[0] = file->moved[1] = true;
    for (size_t i = 0; i < old->count; i++) {
        if (old->files[i].st.st_ino == st->st_ino) {
            file->moved[0] = moved(old->files[i].st.st_mtim, st->st_mtim);
            file->moved[1] = moved(old->files[i].st.st_ctim, st->st_ctim);
            break;
        }
    }
    return 0;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path,
                  ((const struct file *)b)->path);
}

static void look_at(int which)
{
    struct look *look = &looks[turn][which];

    side = which;
    look->count = 0;
    CHECK(chdir(folders[which]) == 0);
    CHECK(nftw(".", add_file, 32, FTW_PHYS) == 0);
    qsort(look->files, look->count, sizeof(look->files[0]), by_path);
}

/* --- comparing ------------------------------------------------------------- */

static void same(const char *what, const char *path, long a, long b)
{
    if (a != b)
        differs(what, path, a, b);
}

static size_t first_of(const struct look *look, ino_t ino)
{
    size_t i = 0;

    while (look->files[i].st.st_ino != ino)
        i++;
    return i;
}

static void compare_file(size_t i)
{
    const struct look *a = &looks[turn][0], *b = &looks[turn][1];
    const struct file *f = &a->files[i], *g = &b->files[i];
    const struct stat *s = &f->st, *t = &g->st;

    same("mode", f->path, s->st_mode, t->st_mode);
    same("links", f->path, (long)s->st_nlink, (long)t->st_nlink);
    same("user", f->path, s->st_uid, t->st_uid);
    same("group", f->path, s->st_gid, t->st_gid);
    same("size", f->path, s->st_size, t->st_size);
    same("device", f->path, (long)s->st_rdev, (long)t->st_rdev);
    if (!S_ISLNK(s->st_mode))
        same("blocks", f->path, s->st_blocks, t->st_blocks);
    same("identity", f->path, (long)first_of(a, s->st_ino),
         (long)first_of(b, t->st_ino));
    if (S_ISFIFO(s->st_mode))
        return;
    same("mtime's move", f->path, f->moved[0], g->moved[0]);
    same("ctime's move", f->path, f->moved[1], g->moved[1]);
    if (s->st_mtim.tv_sec < OLD || t->st_mtim.tv_sec < OLD) {
        same("mtime", f->path, s->st_mtim.tv_sec, t->st_mtim.tv_sec);
        same("mtime", f->path, s->st_mtim.tv_nsec, t->st_mtim.tv_nsec);
    }
}

static void compare_files(void)
{
    const struct look *a = &looks[turn][0], *b = &looks[turn][1];

    for (size_t i = 0; i < a->count && i < b->count; i++) {
        if (strcmp(a->files[i].path, b->files[i].path) != 0)
            differs(b->files[i].path, a->files[i].path, 0, 0);
        compare_file(i);
    }
    same("number of files", "", (long)a->count, (long)b->count);
}

static uint64_t sum_of(const char *folder, const char *path)
{
    static uint8_t bytes[65536];
    uint64_t sum = 0;
    ssize_t got;
    int fd;

    CHECK(chdir(folder) == 0);
    fd = open(path, O_RDONLY | O_NOATIME);
    CHECK(fd >= 0);
    while ((got = read(fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < got; i++)
            sum = sum * 1099511628211u + bytes[i] + 1;
    CHECK(got == 0 && close(fd) == 0);
    return sum;
}

static void compare_bytes(void)
{
    const struct look *look = &looks[turn][0];

    for (size_t i = 0; i < look->count; i++) {
        const char *path = look->files[i].path;

        if (S_ISREG(look->files[i].st.st_mode))
            same("content", path, (long)sum_of(folders[0], path),
                 (long)sum_of(folders[1], path));
    }
}

/* --- the run --------------------------------------------------------------- */

static void wait_for_a_tick(void)
{
    const struct timespec pause = { 0, 500000 };
    struct timespec start, now;

    CHECK(clock_gettime(CLOCK_REALTIME_COARSE, &start) == 0);
    do {
        nanosleep(&pause, NULL);
        CHECK(clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0);
    } while (!moved(start, now));
}

static void one_operation(void)
{
    struct outcome out[2];

    operation_choose();
    wait_for_a_tick();
    for (int which = 0; which < 2; which++) {
        CHECK(chdir(folders[which]) == 0);
        out[which] = operation_run(which);
    }
    same("result", "", out[0].result, out[1].result);
    same("errno", "", out[0].error, out[1].error);
    same("what was read", "", (long)out[0].told, (long)out[1].told);
    turn = !turn;
    look_at(0);
    look_at(1);
    compare_files();
    if (number % BYTES_EVERY == 0)
        compare_bytes();
}

int main(int argc, char **argv)
{
    unsigned count;

    CHECK(argc == 5);
    state = strtoull(argv[1], NULL, 0);
    count = (unsigned)strtoul(argv[2], NULL, 0);
    folders[0] = argv[3];
    folders[1] = argv[4];
    umask(022);
    look_at(0);
    look_at(1);
    for (number = 1; number <= count; number++)
        one_operation();
    operations_end();
    return EXIT_SUCCESS;
}
