#!/usr/bin/env bash
# With a writeback cache nothing that write(2) accepted is lost when many write at
# once: threads in one descriptor, of which the kernel asks before each waits for
# the others; and a thousand files, each with less dirty than the kernel looks at.
# Space gets short with thousands of files open: all are told, soon.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon

mount_fs ram=8m,size=64m,writeback
baseline=$(usage)
"$HELPERS/crowd" one "$mnt/file" 8 $((1 << 20)) || fail "8 threads, see above"
rm "$mnt/file"
expect_usage "$baseline" "all deleted"
mkdir "$mnt/files"
"$HELPERS/crowd" many "$mnt/files" 1000 $((120 << 10)) "$daemon" ||
    fail "1000 files, see above"
rm -r "$mnt/files"
expect_usage "$baseline" "all deleted"
umount_fs

mount_fs ram=64m,size=512m,writeback
"$HELPERS/crowd" many "$mnt" "$(long 2000 4000)" $((120 << 10)) "$daemon" ||
    fail "2000 files, see above"
umount_fs
[[ $LONG == 1 ]] || exit 0

mount_fs ram=64m,size=512m,writeback
"$HELPERS/crowd" one "$mnt/file" 64 $((1 << 20)) || fail "64 threads, see above"
umount_fs
