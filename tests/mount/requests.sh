#!/usr/bin/env bash
# Each system call costs no more requests than it must, and what the kernel knows
# it does not ask again; each close that tells us costs one, for which nobody
# waits.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon

# One RELEASE for what was opened, and no FLUSH.
closes_balance() {
    awk '/opcode: (OPEN|CREATE|OPENDIR) / {opened++}
         /opcode: (RELEASE|RELEASEDIR) / {closed++}
         END {exit !(opened > 0 && opened == closed)}' "$log"
}

mount_fs ram=16m,size=64m,debug
"$HELPERS/requests" "$log" "$mnt" || fail "see above"
wait_until 10 closes_balance || fail "not one RELEASE for each that was opened"
[[ $(grep -c 'opcode: FLUSH ' "$log") -le 1 ]] || fail "FLUSH at each close"
umount_fs
