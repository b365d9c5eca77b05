#!/usr/bin/env bash
# When the disk under swap= is full, write(2) says ENOSPC, and not one byte that
# was accepted is lost.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need_root
need mkfs.ext4 losetup

truncate -s 40m "$work/disk"
mkfs.ext4 -q -F -m 0 "$work/disk" >/dev/null 2>&1 || skip "mkfs.ext4 fails"
mkdir "$work/small"
mount -o loop "$work/disk" "$work/small" 2>/dev/null || skip "no loop mount"

mount_fs "ram=8m,swap=$work/small,size=32m"
# Now somebody else takes the disk.
head -c 20000000 /dev/urandom >"$work/small/other" || fail "the other's file"
mkdir "$mnt/files"
"$HELPERS/filler" fill "$mnt/files" 2 "$work/ledger" || fail "filling"
"$HELPERS/filler" verify "$mnt/files" "$work/ledger" || fail "verifying"
acknowledged=$(awk '{sum += $2} END {print sum}' "$work/ledger")
((acknowledged < 30 << 20)) || fail "$acknowledged bytes fit: the disk was not full"
((acknowledged > 6 << 20)) || fail "only $acknowledged bytes fit"

# The disk is free again: there is room again.
rm "$work/small/other"
(($(free_blocks) >= 6 << 8)) || fail "df: only $(free_blocks) blocks are free"
fallocate -l 6m "$mnt/ahead" || fail "no room for fallocate although the disk is free"
rm "$mnt/ahead"
"$HELPERS/blob" write 7 $((6 << 20)) "$mnt/more" ||
    fail "no room although the disk is free again"
"$HELPERS/blob" read 7 $((6 << 20)) "$mnt/more" || fail "reading"
"$HELPERS/filler" verify "$mnt/files" "$work/ledger" || fail "verifying again"
umount_fs
umount "$work/small"
