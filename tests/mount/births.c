/* The time of birth, which only statx(2) tells, and which never moves. */
#include "probe.h"

static struct statx statx_of(const char *path)
{
    struct statx stx;

    CHECK(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_ALL, &stx) == 0);
    return stx;
}

static bool same(struct statx_timestamp a, struct statx_timestamp b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static void told_for(const char *path)
{
    struct statx stx = statx_of(path);

    CHECK(stx.stx_mask & STATX_BTIME);
    CHECK(same(stx.stx_btime, stx.stx_ctime));
}

static void every_kind_has_one(void)
{
    CHECK(mkdir("d", 0755) == 0);
    told_for("d");
    CHECK(symlink("d", "l") == 0);
    told_for("l");
    CHECK(mkfifo("p", 0600) == 0);
    told_for("p");
    CHECK(mknod("f", S_IFREG | 0644, 0) == 0);
    told_for("f");
}

static void it_never_moves(void)
{
    struct timespec past[2] = { { 5, 6 }, { 7, 8 } };
    struct statx born, now;

    CHECK(mknod("f", S_IFREG | 0644, 0) == 0);
    born = statx_of("f");
    usleep(20000);
    make_file("f", "data", 4);
    CHECK(chmod("f", 0600) == 0 && rename("f", "g") == 0);
    CHECK(utimensat(AT_FDCWD, "g", past, 0) == 0);
    now = statx_of("g");
    CHECK(same(born.stx_btime, now.stx_btime));
    CHECK(!same(born.stx_ctime, now.stx_ctime) && now.stx_mtime.tv_sec == 7);
    CHECK(unlink("g") == 0);
    make_file("g", "", 0);
    CHECK(!same(born.stx_btime, statx_of("g").stx_btime));
}

static void it_agrees_with_stat(void)
{
    struct statx stx;
    struct stat st;

    make_file("f", "0123456789", 10);
    stx = statx_of("f");
    st = stat_of("f");
    CHECK(stx.stx_ino == st.st_ino && stx.stx_size == 10);
    CHECK(stx.stx_mode == st.st_mode && stx.stx_nlink == 1);
    CHECK(stx.stx_blocks == (uint64_t)st.st_blocks);
    CHECK(stx.stx_mtime.tv_nsec == (uint32_t)st.st_mtim.tv_nsec);
}

/* The mount root, too: it was never made by anybody. */
static void the_root(void)
{
    CHECK(statx_of("..").stx_mask & STATX_BTIME);
}

PROBE_MAIN(CASE(every_kind_has_one), CASE(it_never_moves),
           CASE(it_agrees_with_stat), CASE(the_root))
