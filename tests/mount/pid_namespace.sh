#!/usr/bin/env bash
# In a namespace of processes of its own, where /proc shows another one, the daemon
# takes nobody for whom that number belongs to there: kernel threads, which are root's.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need_root
need unshare nsenter setfacl
unshare -pf true 2>/dev/null || skip "no namespaces of processes here"

runner=(unshare -pf)
mount_fs ram=8m,size=32m,allow_other
inside() {
    nsenter -t "$(pgrep -P "$daemon")" -p "$@"
}
size() {
    stat -f -c '%b' "$mnt"
}

inside "$PAGERCTL" set size=16m "$mnt" || fail "root may not steer"
# Its number is one of the first, as are those of kernel threads outside.
for _ in 1 2 3 4 5; do
    inside setpriv --reuid=nobody --regid=nogroup --clear-groups \
        "$PAGERCTL" set size=24m "$mnt" 2>/dev/null && fail "anybody may steer"
done
(($(size) == 16 << 8)) || fail "the limit has become $(size) blocks"

# We are outside, and have no number for the daemon: the kernel says who keeps bits.
touch "$mnt/file"
chmod 2775 "$mnt/file"
setfacl -m u:nobody:rwx "$mnt/file" || fail "setfacl"
[[ $(stat -c %a "$mnt/file") == 2775 ]] ||
    fail "an ACL makes mode 2775 $(stat -c %a "$mnt/file")"
umount_fs
