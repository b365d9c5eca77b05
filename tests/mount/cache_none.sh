#!/usr/bin/env bash
# With cache=none everything works as with the kernel's page cache: fsx, appends,
# direct I/O; and mapped files still map.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
mount_fs ram=8m,size=128m,cache=none
"$FSX" -q -P "$work" -S 1 -N 3000 -l 1m "$mnt/file" || fail "fsx"
"$FSX" -q -P "$work" -S 2 -N 1000 -l 16m -o 1m "$mnt/file" || fail "fsx, large"
for probe in append direct holes truncate; do
    "$HELPERS/$probe" "$mnt" || fail "$probe"
done
umount_fs
