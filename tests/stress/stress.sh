#!/usr/bin/env bash
# Eight threads on many files and in one, with memory short all the time, see
# every byte as they wrote it; when all is deleted nothing is left in use.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/../mount/lib.sh"

mount_fs ram=8m,size=128m
baseline=$(usage)
"$STRESS" "$mnt" 8 "$(long 20 600)" "${1:-1}" || fail "see above"
paged_out 32
"$PAGERCTL" verify "$mnt" >&2 || fail "something is wrong afterwards"
rm -r "${mnt:?}"/*
expect_usage "$baseline" "all deleted"
max_rss 16 "ram=8m"
umount_fs
