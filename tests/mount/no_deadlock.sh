#!/usr/bin/env bash
# A small daemon, full to the last block with noise, in a memory cgroup that leaves
# it little more than ram=: 32 threads that read, write, map and truncate all get
# their turn, none is overtaken by many of its kind, and nothing is OOM-killed.
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
echo $(((8 + 24) << 20)) >"$group/memory.limit_in_bytes"
if [[ -w $group/memory.memsw.limit_in_bytes ]]; then
    echo $(((8 + 24) << 20)) >"$group/memory.memsw.limit_in_bytes"
fi

# shellcheck disable=SC2016  # expanded by the inner shell
runner=(sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group")
mount_fs ram=8m,size=64m
# The files of the threads would take three times what is left.
pages=$(($(free_blocks) * 9 / 10 / 32 * 32))
seconds=$(long 10 600)
"$HELPERS/pressure" "$mnt" 32 "$seconds" "$pages" 60 2000 \
    >"$work/said" || fail "stuck, or overtaken: $(cat "$work/said")"
say "half, 99%, 99.9% and the longest of each kind"
cat "$work/said" >&2
paged_out 64
if grep -q '^oom_kill [^0]' "$group/memory.oom_control"; then
    fail "OOM-killed"
fi
rm "$mnt"/*
umount_fs
