#!/usr/bin/env bash
# The same random operations come to the same on pagerfs and on the kernel's
# tmpfs: results, errno, attributes, times, bytes.  Each short run is the same;
# a long one is another each time.   SEED=N repeats a run.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need_root # to mount tmpfs, and to become other users
seed=${SEED:-$(long 2026 "$RANDOM$RANDOM")}
say "SEED=$seed"
mount_fs ram=8m,size=256m,nr_inodes=10000,allow_other,suid,dev
mkdir "$work/tmpfs"
mount -t tmpfs -o size=256m,nr_inodes=10000 differ "$work/tmpfs" ||
    skip "tmpfs cannot be mounted"
for folder in "$work/tmpfs/d" "$mnt/d"; do
    mkdir "$folder"
    chmod 777 "$folder"
done
"$HELPERS/differ" "$seed" "$(long 800 20000)" "$work/tmpfs/d" "$mnt/d" ||
    fail "see above; SEED=$seed does it again"
umount "$work/tmpfs"
umount_fs
