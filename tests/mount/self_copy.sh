#!/usr/bin/env bash
# Files are right where the kernel may not copy for the daemon (arena_copy.h), as
# where it may: written, read past the kernel's cache, changed, and paged out.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

bytes=$((24 << 20))

right() {
    "$HELPERS/blob" write 1 $bytes "$mnt/file" || fail "$1: writing"
    "$HELPERS/blob" read 1 $bytes "$mnt/file" || fail "$1: reading"
    "$HELPERS/blob" write 2 $bytes "$mnt/file" || fail "$1: overwriting"
    "$HELPERS/blob" read 2 $bytes "$mnt/file" || fail "$1: reading again"
    "$HELPERS/blob" peek 2 $bytes "$mnt/file" 500 || fail "$1: at random"
}

# All in memory, and most on swap.
sizes=("ram=32m,size=64m" "ram=8m,size=64m")
for options in "${sizes[@]}"; do
    mount_fs "$options,cache=none"
    right "$options"
    umount_fs
done

need_root
for call in process_vm_{readv,writev}; do
    runner=("$HELPERS/forbid" "$call")
    for options in "${sizes[@]}"; do
        mount_fs "$options,cache=none"
        right "$options without $call"
        umount_fs
    done
done
