#!/usr/bin/env bash
# The same as stress.sh while the kernel holds writes back: what it hands on late,
# and by pages, meets truncation, renaming and deleting, with memory short.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/../mount/lib.sh"

need_daemon

mount_fs ram=8m,size=128m,writeback
baseline=$(usage)
"$STRESS" "$mnt" 8 "$(long 2 600)" "${1:-1}" || fail "see above"
"$PAGERCTL" verify "$mnt" >&2 || fail "something is wrong afterwards"
rm -r "${mnt:?}"/*
expect_usage "$baseline" "all deleted"
max_rss 16 "ram=8m"
umount_fs
