#!/usr/bin/env bash
# A directory of very many files is made, listed, looked up and removed, each
# file at the same price; then its memory is back.
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

count=$(long 50000 1000000)
mount_fs "ram=$(long 48m 640m),size=2g,nr_inodes=2m"
baseline=$(usage)
mkdir "$mnt/dir"
for step in make check remove; do
    "$HELPERS/entries" $step "$mnt/dir" "$count" 0 0 || fail "$step"
done
rmdir "$mnt/dir"
expect_usage "$baseline" "all removed"
max_rss "$(long 56 648)" "$count files in one directory"
umount_fs
