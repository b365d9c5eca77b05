/* test_file_open.c - every kind of place: what is left behind, what is said. */
#include "file_internal.h"

#include "places.h"
#include "space.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char message[SWAP_MESSAGE_BYTES];
static struct swap_file file;
static char dir[PLACE_BYTES], path[PLACE_BYTES + 128];

static const char *in_dir(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void make_file(const char *where, const char *contents)
{
    int fd = open(where, O_CREAT | O_WRONLY | O_TRUNC, 0644);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, contents, strlen(contents)),
                     (ssize_t)strlen(contents));
    close(fd);
}

/* Opens, and expects a private file without a name. */
static void opens(const char *spec)
{
    struct stat st;

    ck_assert_msg(swap_file_open(&file, spec, 1000, message) == 0, "%s",
                  message);
    ck_assert_int_eq(fstat(file.fd, &st), 0);
    ck_assert_uint_eq(st.st_nlink, 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
    ck_assert_int_eq(st.st_size, 0);
    ck_assert_uint_eq(file.nr_blocks, 1000);
    ck_assert_uint_eq(place_count_names(dir), 0);
    swap_file_close(&file);
    ck_assert_int_eq(file.fd, -1);
}

static void refuses(const char *spec, int err, const char *why)
{
    ck_assert_int_eq(swap_file_open(&file, spec, 1000, message), err);
    ck_assert_int_eq(file.fd, -1);
    ck_assert_int_eq(strncmp(message, "swap=", 5), 0);
    ck_assert_msg(strstr(message, why) != NULL, "%s", message);
    ck_assert_ptr_null(strchr(message, '\n'));
}

START_TEST(none_is_no_file)
{
    ck_assert_int_eq(swap_file_open(&file, "none", 1000, message), 0);
    ck_assert_int_eq(file.fd, -1);
    ck_assert_uint_eq(file.nr_blocks, 0);
    ck_assert_uint_eq(swap_file_room(&file), 0);
}
END_TEST

START_TEST(a_directory_gets_a_file_without_a_name)
{
    place_dir(dir);
    opens(dir);
    place_dir_remove(dir);
}
END_TEST

START_TEST(without_tmpfile_the_name_goes_at_once)
{
    struct stat st;
    int at, fd;

    place_dir(dir);
    at = open(dir, O_PATH | O_DIRECTORY);
    make_file(in_dir(".pagerfs-swap-0-0"), "");
    fd = unnamed_make(at);
    ck_assert_int_ge(fd, 0);
    ck_assert_uint_eq(place_count_names(dir), 1);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_nlink, 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
    close(fd);
    close(at);
    place_dir_remove(dir);
}
END_TEST

START_TEST(a_missing_file_is_created_and_unlinked)
{
    place_dir(dir);
    opens(in_dir("new"));
    place_dir_remove(dir);
}
END_TEST

START_TEST(an_empty_file_loses_its_name_and_rights)
{
    place_dir(dir);
    make_file(in_dir("empty"), "");
    opens(path);
    place_dir_remove(dir);
}
END_TEST

START_TEST(through_a_link_the_file_itself_is_unlinked)
{
    char link[PLACE_BYTES], other[PLACE_BYTES];

    place_dir(dir);
    place_dir(other);
    snprintf(link, sizeof(link), "%.200s/link", other);
    make_file(in_dir("empty"), "");
    ck_assert_int_eq(symlink(path, link), 0);
    opens(link);
    ck_assert_uint_eq(place_count_names(other), 1);
    place_dir_remove(other);
    place_dir_remove(dir);
}
END_TEST

START_TEST(a_file_with_contents_is_refused_and_untouched)
{
    struct stat st;

    place_dir(dir);
    make_file(in_dir("full"), "x");
    refuses(path, -EEXIST, "is not an empty file");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 1);
    ck_assert_uint_eq(st.st_mode & 0777, 0644);
    place_dir_remove(dir);
}
END_TEST

START_TEST(a_file_with_two_names_is_refused_and_untouched)
{
    char second[sizeof(path)];

    place_dir(dir);
    snprintf(second, sizeof(second), "%s", in_dir("second"));
    make_file(in_dir("empty"), "");
    ck_assert_int_eq(link(path, second), 0);
    refuses(path, -EEXIST, "with one name");
    ck_assert_uint_eq(place_count_names(dir), 2);
    place_dir_remove(dir);
}
END_TEST

START_TEST(what_is_no_file_at_all_is_refused)
{
    place_dir(dir);
    ck_assert_int_eq(mkfifo(in_dir("fifo"), 0600), 0);
    refuses(path, -EINVAL, "neither a directory");
    refuses("/dev/null", -EINVAL, "neither a directory");
    place_dir_remove(dir);
}
END_TEST

START_TEST(missing_and_wrong_paths_are_explained)
{
    place_dir(dir);
    refuses(in_dir("no/such/place"), -ENOENT, "create the directory first");
    make_file(in_dir("file"), "x");
    refuses(in_dir("file/below"), -ENOTDIR, "no directory");
    ck_assert_int_eq(symlink("nowhere", in_dir("dangling")), 0);
    refuses(path, -EEXIST, "symbolic link that leads nowhere");
    ck_assert_int_eq(symlink("none/such", in_dir("astray")), 0);
    refuses(path, -EEXIST, "symbolic link that leads nowhere");
    refuses("~/swap", -ENOENT, "$HOME");
    refuses("~", -ENOENT, "$HOME");
    refuses("/proc", -ENOENT, "no file can be made in this directory");
    refuses("", -ENOENT, "swap=: ");
    place_dir_remove(dir);
}
END_TEST

START_TEST(a_long_name_leaves_room_for_the_reason)
{
    char name[3000];

    memset(name, 'x', sizeof(name));
    memcpy(name, "/tmp/", 5);
    memcpy(name + sizeof(name) - 5, "/end", 5);
    refuses(name, -ENAMETOOLONG, "File name too long");
    ck_assert_ptr_nonnull(strstr(message, "swap=...xxx"));
    ck_assert_ptr_nonnull(strstr(message, "/end: "));
}
END_TEST

/* Runs in a child that is nobody, if we are root. */
static void as_nobody(void (*check)(void))
{
    pid_t child;
    int status;

    if (geteuid() != 0) {
        printf("skipped: becoming another user needs root\n");
        return;
    }
    child = fork();
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(2);
        check();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

/* No Check in the child: its messages would reach nobody. */
static void expect_in_child(const char *spec, int err, const char *why)
{
    if (swap_file_open(&file, spec, 1000, message) != err ||
        !strstr(message, why)) {
        fprintf(stderr, "%s: %s\n", spec, message);
        _exit(1);
    }
}

static void nobody_is_refused(void)
{
    expect_in_child(dir, -EACCES, "that you may write to");
    expect_in_child(in_dir("new"), -EACCES, "that you may write to");
    expect_in_child(in_dir("of_root"), -EEXIST, "of yours");
}

START_TEST(places_of_others_are_refused_and_untouched)
{
    place_dir(dir);
    ck_assert_int_eq(chmod(dir, 0755), 0);
    make_file(in_dir("of_root"), "");
    ck_assert_int_eq(chmod(path, 0666), 0);
    as_nobody(nobody_is_refused);
    ck_assert_uint_eq(place_count_names(dir), 1);
    place_dir_remove(dir);
}
END_TEST

START_TEST(a_read_only_mount_is_refused)
{
    char under[PLACE_BYTES];

    place_dir(under);
    place_dir(dir);
    if (place_ext4(under, 4 << 20, dir)) {
        ck_assert_int_eq(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL),
                         0);
        refuses(dir, -EROFS, "read-only");
        umount2(dir, MNT_DETACH);
    }
    place_dir_remove(dir);
    place_dir_remove(under);
}
END_TEST

START_TEST(a_device_is_used_whole_and_by_one)
{
    char device[PLACE_BYTES];
    struct swap_file other;

    place_dir(dir);
    if (place_loop(dir, (1 << 20) + 512, device)) {
        ck_assert_int_eq(swap_file_open(&file, device, 0, message), 0);
        ck_assert(file.device);
        ck_assert_uint_eq(file.nr_blocks, 256);
        ck_assert_uint_eq(swap_file_room(&file), 256);
        ck_assert_int_eq(swap_file_open(&other, device, 0, message), -EBUSY);
        ck_assert_ptr_nonnull(strstr(message, "in use"));
        swap_file_close(&file);
        ck_assert_int_eq(swap_file_open(&file, device, 10, message), 0);
        ck_assert_uint_eq(file.nr_blocks, 10);
        swap_file_close(&file);
    }
    place_dir_remove(dir);
}
END_TEST

static void *close_later(void *fd)
{
    usleep(200000);
    close(*(int *)fd);
    return NULL;
}

START_TEST(a_device_that_is_free_in_a_moment_is_waited_for)
{
    char device[PLACE_BYTES];
    pthread_t closer;
    int fd;

    place_dir(dir);
    if (place_loop(dir, 1 << 20, device)) {
        fd = open(device, O_RDWR | O_EXCL);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pthread_create(&closer, NULL, close_later, &fd), 0);
        ck_assert_int_eq(swap_file_open(&file, device, 0, message), 0);
        pthread_join(closer, NULL);
        swap_file_close(&file);
    }
    place_dir_remove(dir);
}
END_TEST

START_TEST(a_device_keeps_its_first_block_when_opened)
{
    char device[PLACE_BYTES], contents[PAGE_SIZE] = { 0 };
    int fd;

    place_dir(dir);
    if (place_loop(dir, 1 << 20, device)) {
        fd = open(device, O_RDWR);
        memset(contents, 'k', sizeof(contents));
        ck_assert_int_eq(pwrite(fd, contents, PAGE_SIZE, 0), PAGE_SIZE);
        fsync(fd);
        ck_assert_int_eq(swap_file_open(&file, device, 0, message), 0);
        swap_file_close(&file);
        ck_assert_int_eq(pread(fd, contents, PAGE_SIZE, 0), PAGE_SIZE);
        ck_assert_int_eq(contents[PAGE_SIZE - 1], 'k');
        close(fd);
    }
    place_dir_remove(dir);
}
END_TEST

START_TEST(ulimit_is_the_limit)
{
    struct rlimit old, limit;
    int err;

    place_dir(dir);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 50 * PAGE_SIZE + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(swap_file_open(&file, dir, 1000, message), 0);
    ck_assert_uint_eq(file.nr_blocks, 50);
    ck_assert_int_eq(swap_file_grow(&file, 0, 50), 0);
    swap_file_close(&file);
    /* Check itself writes files: not while the limit is that low. */
    limit.rlim_cur = PAGE_SIZE - 1;
    setrlimit(RLIMIT_FSIZE, &limit);
    err = swap_file_open(&file, dir, 1000, message);
    setrlimit(RLIMIT_FSIZE, &old);
    ck_assert_int_eq(err, -EFBIG);
    ck_assert_ptr_nonnull(strstr(message, "ulimit -f"));
    ck_assert_int_eq(swap_file_open(&file, dir, 0, message), 0);
    ck_assert_uint_eq(file.nr_blocks, SPACE_MAX_BLOCKS);
    swap_file_close(&file);
    place_dir_remove(dir);
}
END_TEST

UNIT_MAIN("file_open", none_is_no_file, a_directory_gets_a_file_without_a_name,
          without_tmpfile_the_name_goes_at_once,
          a_missing_file_is_created_and_unlinked,
          an_empty_file_loses_its_name_and_rights,
          through_a_link_the_file_itself_is_unlinked,
          a_file_with_contents_is_refused_and_untouched,
          a_file_with_two_names_is_refused_and_untouched,
          what_is_no_file_at_all_is_refused,
          missing_and_wrong_paths_are_explained,
          a_long_name_leaves_room_for_the_reason,
          places_of_others_are_refused_and_untouched,
          a_read_only_mount_is_refused, a_device_is_used_whole_and_by_one,
          a_device_that_is_free_in_a_moment_is_waited_for,
          a_device_keeps_its_first_block_when_opened, ulimit_is_the_limit)
