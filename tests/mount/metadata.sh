#!/usr/bin/env bash
# Files without data count against ram= too: making them ends in ENOSPC, the
# daemon stays within its budget, and what is there works on.
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
mount_fs ram=8m,size=1g,nr_inodes=0
baseline=$(usage)
"$HELPERS/blob" write 1 $((16 << 20)) "$mnt/data" >/dev/null
mkdir "$mnt/dir"
# 1,000,000 inodes of 8 MiB would be 8 bytes each.
if "$HELPERS/entries" make "$mnt/dir" 1000000 0 0 2>"$work/err"; then
    fail "a million files fit into ram=8m"
fi
grep -q 'No space left' "$work/err" || fail "not ENOSPC: $(cat "$work/err")"
made=$(find "$mnt/dir" -type f | wc -l)
say "$made files in ram=8m beside 16 MiB of data"
((made > 5000)) || fail "only $made files"
max_rss 16 "full of files"
"$HELPERS/blob" read 1 $((16 << 20)) "$mnt/data" || fail "reading when full"
rm -r "$mnt/dir" "$mnt/data" || fail "removing when full"
expect_usage "$baseline" "all removed"
"$HELPERS/blob" write 1 $((16 << 20)) "$mnt/data" || fail "writing again"
max_rss 16 "at the end"
umount_fs
