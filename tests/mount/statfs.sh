#!/usr/bin/env bash
# df tells the limits that were given, what is used to the block, and refuses
# one inode too many.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

mount_fs ram=8m,size=64m,nr_inodes=1000
[[ $(stat -f -c '%S %b %l' "$mnt") == "4096 16384 255" ]] ||
    fail "block size, blocks, name length: $(stat -f -c '%S %b %l' "$mnt")"
[[ $(stat -f -c %c "$mnt") == 1000 ]] || fail "inodes: $(stat -f -c %c "$mnt")"

baseline=$(usage)
: >"$mnt/file"
before=$(used_blocks)
"$HELPERS/blob" write 1 $((5 << 20)) "$mnt/file" >/dev/null
((before + 1280 <= $(used_blocks) && $(used_blocks) <= before + 1280 + 8)) ||
    fail "5 MiB count as $(($(used_blocks) - before)) blocks"
[[ $(stat -c %b "$mnt/file") == 10240 ]] || fail "st_blocks of 5 MiB"
(($(free_blocks) + $(used_blocks) == 16384)) || fail "free and used do not add up"
truncate -s 1g "$mnt/file" || fail "a sparse file may be larger than size="
truncate -s 1m "$mnt/file"
[[ $(stat -c %b "$mnt/file") == 2048 ]] || fail "st_blocks after a truncation"
rm "$mnt/file"
expect_usage "$baseline" "after removing the file"

# What is said to be available is to be had by one file, its map included.
fallocate -l $(($(stat -f -c %a "$mnt") * 4096)) "$mnt/file" ||
    fail "$(stat -f -c %a "$mnt") blocks are available, but not to one file"
rm "$mnt/file"
expect_usage "$baseline" "after removing the largest file"

inodes=$(used_inodes)
for ((i = inodes; i < 1000; i++)); do
    : >"$mnt/n$i" || fail "inode $i of 1000 is refused"
done
if mkdir "$mnt/one-more" 2>"$work/err"; then
    fail "inode 1001 of 1000"
fi
grep -q 'No space left' "$work/err" || fail "not ENOSPC: $(cat "$work/err")"
[[ $(stat -f -c %d "$mnt") == 0 ]] || fail "df -i does not say full"
rm "$mnt"/n*
inodes_are_back() {
    [[ $(used_inodes) == "$inodes" ]]
}
wait_until 10 inodes_are_back || fail "inodes: $(used_inodes), not $inodes"
: >"$mnt/again" || fail "no inode although all were removed"
umount_fs

# Swap has room for data; the files themselves stay in RAM.
mount_fs ram=16m,size=1g,nr_inodes=0
(($(stat -f -c %d "$mnt") < (16 << 20) / 128)) ||
    fail "$(stat -f -c %d "$mnt") inodes in 16 MiB"
umount_fs
