#!/usr/bin/env bash
# Very many small files in many directories, more data than ram=, keep their
# contents.
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

count=$(long 20000 1000000)
mount_fs "ram=$(long 24m 640m),size=$(long 200m 6g),nr_inodes=2m"
baseline=$(usage)
for step in make check remove; do
    if [[ $step == check ]]; then
        find "$mnt" -type f | uncache
    fi
    "$HELPERS/entries" $step "$mnt" "$count" 200 100 || fail "$step"
done
expect_usage "$baseline" "all removed"
max_rss "$(long 32 648)" "$count files of 100 bytes"
umount_fs
