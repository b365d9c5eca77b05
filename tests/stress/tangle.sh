#!/usr/bin/env bash
# Threads that make, move, exchange and remove the same directories leave a tree
# in which every link count and every ".." is right, and nothing when it is
# removed.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/../mount/lib.sh"

mount_fs ram=32m,size=64m
baseline=$(usage)
mkdir "$mnt/tangle"
"$TANGLE" "$mnt/tangle" 8 "$(long 8 300)" "${1:-1}" || fail "see above"
rm -r "$mnt/tangle"
expect_usage "$baseline" "all deleted"
umount_fs
