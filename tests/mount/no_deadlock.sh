#!/usr/bin/env bash
# A small daemon, full to the last block with noise, in a memory cgroup that leaves
# it little more than ram=: 32 threads that read, write, map and truncate all get
# their turn, none is overtaken by many of its kind, and nothing is OOM-killed.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
in_memory_group $((8 + 24))
mount_fs ram=8m,size=64m
# The files of the threads would take three times what is left.
pages=$(($(free_blocks) * 9 / 10 / 32 * 32))
seconds=$(long 10 600)
stuck=$(long 60 10) # the long form has the machine to itself
"$HELPERS/pressure" "$mnt" 32 "$seconds" "$pages" "$stuck" 2000 \
    >"$work/said" || fail "stuck, or overtaken: $(cat "$work/said")"
say "half, 99%, 99.9% and the longest of each kind"
cat "$work/said" >&2
paged_out 64
expect_no_oom
rm "$mnt"/*
umount_fs
