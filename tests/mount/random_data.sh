#!/usr/bin/env bash
# 1 GiB of random data at ram=32m comes back right, read in order and at random,
# and the daemon's RSS never passes 40 MiB.
limit=600
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

bytes=$((1 << 30))
mount_fs ram=32m,size=1100m
"$HELPERS/blob" write 1 $bytes "$mnt/random" || fail "writing"
max_rss 40 "ram=32m, after writing"
"$HELPERS/blob" read 1 $bytes "$mnt/random" || fail "reading in order"
"$HELPERS/blob" peek 1 $bytes "$mnt/random" 5000 || fail "reading at random"
max_rss 40 "ram=32m, at the end"
rm "$mnt/random"
umount_fs
