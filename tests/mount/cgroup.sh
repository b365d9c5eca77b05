#!/usr/bin/env bash
# In a memory cgroup the default ram= is a quarter of the group's limit, and a
# daemon there pages out instead of being OOM-killed.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
in_memory_group 96
mount_fs size=400m
grep -q "$(basename "$group")" "/proc/$daemon/cgroup" || fail "not in the group"
"$HELPERS/blob" write 1 $((300 << 20)) "$mnt/file" || fail "writing"
"$HELPERS/blob" read 1 $((300 << 20)) "$mnt/file" || fail "reading"
max_rss 32 "default ram= is 24 MiB in a group of 96 MiB"
kib=$(max_rss_kib)
((kib > 12 * 1024)) || fail "RSS was $kib KiB only: ram= is too small by default"
expect_no_oom
umount_fs
