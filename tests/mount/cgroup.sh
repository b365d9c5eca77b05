#!/usr/bin/env bash
# In a memory cgroup the default ram= is a quarter of the group's limit, and a
# daemon there pages out instead of being OOM-killed.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need_root
[[ -z ${SANITIZED:-} ]] || skip "a sanitizer needs more memory than the group has"
root=/sys/fs/cgroup/memory
[[ -w $root/cgroup.procs ]] || skip "needs the memory cgroup (v1) at $root"
group=$root/pagerfs-test.$$
mkdir "$group" 2>/dev/null || skip "cannot make a memory cgroup"
at_exit "wait_until 5 rmdir '$group'"
echo $((96 << 20)) >"$group/memory.limit_in_bytes"
if [[ -w $group/memory.memsw.limit_in_bytes ]]; then
    echo $((96 << 20)) >"$group/memory.memsw.limit_in_bytes"
fi

# shellcheck disable=SC2016  # expanded by the inner shell
runner=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group")
mount_fs size=400m
grep -q "$(basename "$group")" "/proc/$daemon/cgroup" || fail "not in the group"
"$HELPERS/blob" write 1 $((300 << 20)) "$mnt/file" || fail "writing"
"$HELPERS/blob" read 1 $((300 << 20)) "$mnt/file" || fail "reading"
max_rss 32 "default ram= is 24 MiB in a group of 96 MiB"
kib=$(max_rss_kib)
((kib > 12 * 1024)) || fail "RSS was $kib KiB only: ram= is too small by default"
if grep -q '^oom_kill [^0]' "$group/memory.oom_control"; then
    fail "OOM-killed"
fi
umount_fs
