/* test_options.c - the command line: what is taken, what is refused, and that
 * each refusal names the option. */
#include "options.h"

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ARGS = 16 };
#define MEMORY ((uint64_t)1 << 30)

static struct options options;
static char message[OPTIONS_MESSAGE_BYTES];

/* Words separated by spaces, the program's name first. */
static int parse(const char *line)
{
    static char copy[1024];
    char *argv[MAX_ARGS + 1];
    int argc = 0;

    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    message[0] = '\0';
    return options_parse(&options, argc, argv, MEMORY, message);
}

static void good(const char *line)
{
    ck_assert_msg(parse(line) == 0, "'%s' was refused: %s", line, message);
}

/* The message must hold `word`, and be one line. */
static void bad(const char *line, const char *word)
{
    ck_assert_msg(parse(line) < 0, "'%s' was taken", line);
    ck_assert_msg(strstr(message, word) != NULL,
                  "'%s': message '%s' lacks '%s'", line, message, word);
    ck_assert_ptr_null(strchr(message, '\n'));
}

/* libfuse's share of the options, as one string. */
static const char *kept(void)
{
    ck_assert_int_ge(options.argc, 3);
    ck_assert_str_eq(options.argv[1], "-o");
    return options.argv[2];
}

START_TEST(test_names)
{
    good("pagerfs /mnt");
    ck_assert_str_eq(options.mountpoint, "/mnt");
    ck_assert_ptr_null(options.source);
    ck_assert_ptr_nonnull(strstr(kept(), "fsname=pagerfs"));
    options_fini(&options);
    good("pagerfs scratch /mnt -o rw,dev,suid");
    ck_assert_str_eq(options.mountpoint, "/mnt");
    ck_assert_str_eq(options.source, "scratch");
    ck_assert_ptr_nonnull(strstr(kept(), "fsname=scratch"));
    options_fini(&options);
    good("pagerfs -o fsname=other scratch /mnt");
    ck_assert_str_eq(options.source, "other");
    options_fini(&options);
    bad("pagerfs", "mount point");
    bad("pagerfs a b c", "'c'");
    bad("pagerfs /mnt -o", "-o");
    /* An option without -o is not a source. */
    bad("pagerfs ram=8m /mnt", "did you mean -o ram=8m");
    good("pagerfs ram /mnt");
    options_fini(&options);
    good("pagerfs -o fsname=ram=8m /mnt");
    ck_assert_str_eq(options.source, "ram=8m");
    options_fini(&options);
}
END_TEST

START_TEST(test_defaults)
{
    good("pagerfs /mnt");
    ck_assert_int_eq(options.action, OPTIONS_MOUNT);
    ck_assert(!options.size.given && !options.ram.given);
    ck_assert(!options.swapsize.given && !options.nr_inodes.given);
    ck_assert_uint_eq(options.nr_swap, 0);
    ck_assert_uint_eq(options.mode, 01777);
    ck_assert_uint_eq(options.uid, getuid());
    ck_assert_uint_eq(options.gid, getgid());
    ck_assert(!options.foreground && !options.debug && !options.grpid);
    ck_assert(!options.noxattr);
    ck_assert_int_eq(options.cache, OPTIONS_CACHE_AUTO);
    ck_assert_ptr_nonnull(strstr(kept(), "default_permissions"));
    ck_assert_ptr_nonnull(strstr(kept(), "subtype=pagerfs"));
    options_fini(&options);
}
END_TEST

START_TEST(test_sizes)
{
    good("pagerfs -o size=50%,ram=64m,swapsize=2g,nr_inodes=4k /mnt");
    ck_assert_uint_eq(options.size.bytes, MEMORY / 2);
    ck_assert_uint_eq(options.ram.bytes, (uint64_t)64 << 20);
    ck_assert_uint_eq(options.swapsize.bytes, (uint64_t)2 << 30);
    ck_assert_uint_eq(options.nr_inodes.bytes, 4096);
    options_fini(&options);
    good("pagerfs -o size=1g -o nr_blocks=10 /mnt");
    ck_assert_uint_eq(options.size.bytes, 40960);
    options_fini(&options);
    good("pagerfs -osize=0,ram=25% /mnt");
    ck_assert(options.size.given && options.size.bytes == 0);
    ck_assert_uint_eq(options.ram.bytes, MEMORY / 4);
    options_fini(&options);
    bad("pagerfs -o size=lots /mnt", "size=lots is not a size");
    bad("pagerfs -o size=1q /mnt", "k, m, g, t, p or e, or with %");
    bad("pagerfs -o size=8k /mnt", "at least 12k");
    bad("pagerfs -o nr_blocks=2 /mnt", "at least 3");
    bad("pagerfs -o ram=129g /mnt", "at most 128g");
    bad("pagerfs -o swapsize=0 /mnt", "swap=none");
    bad("pagerfs -o nr_inodes=-1 /mnt", "nr_inodes=-1 is not a count");
    bad("pagerfs -o size= /mnt", "size=");
    bad("pagerfs -o size /mnt", "size");
    bad("pagerfs -o size=8e /mnt", "size=8e");
    bad("pagerfs -o size=99999999999t /mnt", "size=");
    bad("pagerfs -o nr_blocks=5000000000000000000 /mnt", "nr_blocks=");
    bad("pagerfs -o nr_blocks=5% /mnt", "nr_blocks=5%");
    bad("pagerfs -o nr_inodes=many /mnt", "nr_inodes=many");
    bad("pagerfs -o ram=1m /mnt", "ram=1m");
    bad("pagerfs -o ram=0 /mnt", "ram=0");
    bad("pagerfs -o ram=-5m /mnt", "ram=-5m");
    bad("pagerfs -o swapsize=10% /mnt", "swapsize=10%");
}
END_TEST

START_TEST(test_root_and_modes)
{
    good("pagerfs -o mode=700,uid=1000,gid=100,grpid /mnt");
    ck_assert_uint_eq(options.mode, 0700);
    ck_assert_uint_eq(options.uid, 1000);
    ck_assert_uint_eq(options.gid, 100);
    ck_assert(options.grpid);
    options_fini(&options);
    bad("pagerfs -o mode=888 /mnt", "mode=888");
    bad("pagerfs -o mode=77777 /mnt", "mode=77777");
    bad("pagerfs -o uid=nobody /mnt", "uid=nobody");
    bad("pagerfs -o gid=4294967295 /mnt", "gid=4294967295");
    bad("pagerfs -o grpid=1 /mnt", "grpid");
    good("pagerfs -o noxattr /mnt");
    ck_assert(options.noxattr);
    options_fini(&options);
    bad("pagerfs -o noxattr=1 /mnt", "noxattr");
}
END_TEST

START_TEST(test_swap_and_cache)
{
    good("pagerfs -o swap=/var/tmp,cache=none,replacement=clock /mnt");
    ck_assert_str_eq(options.swap[0].place, "/var/tmp");
    ck_assert_int_eq(options.swap[0].priority, -1);
    ck_assert_int_eq(options.cache, OPTIONS_CACHE_NONE);
    options_fini(&options);
    good("pagerfs -o swap=/a\\,b /mnt");
    ck_assert_str_eq(options.swap[0].place, "/a,b");
    options_fini(&options);
    good("pagerfs -o swap=/a:pri=5,swap=/b:c,swap=/d:pri=7:size=1g /mnt");
    ck_assert_uint_eq(options.nr_swap, 3);
    ck_assert_str_eq(options.swap[0].place, "/a");
    ck_assert_int_eq(options.swap[0].priority, 5);
    ck_assert_str_eq(options.swap[1].place, "/b:c");
    ck_assert(!options.swap[1].size.given);
    ck_assert_str_eq(options.swap[2].place, "/d");
    ck_assert_int_eq(options.swap[2].priority, 7);
    ck_assert_uint_eq(options.swap[2].size.bytes, (uint64_t)1 << 30);
    options_fini(&options);
    bad("pagerfs -o swap=/a:pri=x /mnt", "pri=x");
    bad("pagerfs -o swap=/a,swap=none /mnt", "swap=none");
    bad("pagerfs -o swap= /mnt", "swap=");
    bad("pagerfs -o swap /mnt", "swap");
    good("pagerfs -o writeback,cache=auto /mnt");
    ck_assert(options.writeback);
    options_fini(&options);
    bad("pagerfs -o writeback,cache=none /mnt", "cache=none");
    bad("pagerfs -o writeback=yes /mnt", "writeback");
    good("pagerfs -o writeback,writeback_max=100m /mnt");
    ck_assert_uint_eq(options.writeback_max.bytes, 100 << 20);
    options_fini(&options);
    bad("pagerfs -o writeback_max=100m /mnt", "without writeback");
    bad("pagerfs -o writeback,writeback_max=1000 /mnt", "1m at least");
    bad("pagerfs -o writeback,writeback_max=50% /mnt", "writeback_max");
    bad("pagerfs -o cache=some /mnt", "cache=some");
    bad("pagerfs -o replacement=lru /mnt", "replacement=lru");
}
END_TEST

START_TEST(test_parts_of_swap)
{
    good("pagerfs -o swap=/a:size=2e:pri=0 /mnt");
    ck_assert_str_eq(options.swap[0].place, "/a");
    ck_assert_int_eq(options.swap[0].priority, 0);
    ck_assert_uint_eq(options.swap[0].size.bytes, (uint64_t)2 << 60);
    options_fini(&options);
    bad("pagerfs -o swap=/a:size=lots /mnt", "swap=/a:size=lots: give swap=PLACE:size=");
    bad("pagerfs -o swap=/a:pri=1:size=10% /mnt", "swap=/a:pri=1:size=10%: ");
    bad("pagerfs -o swap=/a:size=0 /mnt", "more than 0");
    bad("pagerfs -o swap=/a:size=9e /mnt", "size=9e");
    bad("pagerfs -o swap=/a:pri=40000 /mnt", "0 to 32767");
    bad("pagerfs -o swap=/a:pri=2:pri=5 /mnt", "twice");
    bad("pagerfs -o swap=/a:size=1g:pri=2:size=2g /mnt", "twice");
    bad("pagerfs -o swap=none:pri=1 /mnt", "swap=none:pri=1: none takes no");
    bad("pagerfs -o swap=none:size=1g /mnt", "swap=none alone");
    bad("pagerfs -o swap=:size=1g /mnt", "a directory");
}
END_TEST

/* As mount(8) takes them. */
START_TEST(test_empty_options)
{
    good("pagerfs -o ram=8m,,size=1g, /mnt");
    ck_assert_uint_eq(options.ram.bytes, 8 << 20);
    ck_assert_uint_eq(options.size.bytes, 1 << 30);
    options_fini(&options);
    good("pagerfs -o , /mnt");
    options_fini(&options);
}
END_TEST

START_TEST(test_transport)
{
    good("pagerfs /mnt");
    ck_assert_int_eq(options.transport, OPTIONS_TRANSPORT_AUTO);
    options_fini(&options);
    good("pagerfs -o transport=dev /mnt");
    ck_assert_int_eq(options.transport, OPTIONS_TRANSPORT_DEV);
    options_fini(&options);
    good("pagerfs -o transport=uring /mnt");
    ck_assert_int_eq(options.transport, OPTIONS_TRANSPORT_URING);
    options_fini(&options);
    good("pagerfs -s -o transport=auto /mnt");
    options_fini(&options);
    bad("pagerfs -o transport=usb /mnt", "transport=usb");
    bad("pagerfs -o transport=uring -s /mnt", "-s");
    good("pagerfs -o auto_unmount /mnt");
    ck_assert(options.auto_unmount);
    ck_assert_ptr_nonnull(strstr(kept(), "auto_unmount"));
    options_fini(&options);
    bad("pagerfs -o transport=uring,auto_unmount /mnt", "auto_unmount");
}
END_TEST

START_TEST(test_pass_through)
{
    good(
        "pagerfs -o allow_other,ro,noatime,noexec,dev,suid,context=a\\,b /mnt");
    ck_assert_ptr_nonnull(
        strstr(kept(), "allow_other,ro,noatime,noexec,dev,suid"));
    ck_assert_ptr_nonnull(strstr(kept(), "context=a\\,b"));
    ck_assert_int_eq(options.atime, OPTIONS_NOATIME);
    options_fini(&options);
    good("pagerfs -o defaults,relatime,x-systemd.automount,subtype=x /mnt");
    ck_assert_ptr_null(strstr(kept(), "relatime"));
    ck_assert_ptr_null(strstr(kept(), "systemd"));
    ck_assert_ptr_null(strstr(kept(), "subtype=pagerfs"));
    options_fini(&options);
    bad("pagerfs -o bogus /mnt", "'bogus'");
    bad("pagerfs -o sizes=3 /mnt", "'sizes=3'");
    bad("pagerfs -o roo /mnt", "'roo'");
    bad("pagerfs -x /mnt", "'-x'");
    bad("pagerfs --bogus /mnt", "'--bogus'");
    bad("pagerfs -o remount,size=5g /mnt", "mount -i -o remount");
    bad("pagerfs -o remount,size=5g /mnt", "pagerctl set");
}
END_TEST

START_TEST(test_flags)
{
    good("pagerfs -f -s /mnt");
    ck_assert(options.foreground && options.single_thread && !options.debug);
    options_fini(&options);
    good("pagerfs -d /mnt");
    ck_assert(options.foreground && options.debug);
    ck_assert_str_eq(options.argv[options.argc - 1], "-d");
    options_fini(&options);
    good("pagerfs -h");
    ck_assert_int_eq(options.action, OPTIONS_HELP);
    options_fini(&options);
    good("pagerfs --version");
    ck_assert_int_eq(options.action, OPTIONS_VERSION);
    options_fini(&options);
}
END_TEST

UNIT_MAIN("options", test_names, test_defaults, test_sizes, test_root_and_modes,
          test_swap_and_cache, test_parts_of_swap, test_empty_options,
          test_transport, test_pass_through, test_flags)
