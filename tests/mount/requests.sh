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

# coreutils asks for two attributes of each name and of the directory: what the
# kernel knows it answers itself, but security.selinux it always asks us.
mkdir "$mnt/many"
touch "$mnt"/many/{1..100}
ls -l "$mnt/many" >/dev/null
cheap_list() {
    local told
    told=$(wc -l <"$log")
    ls -l "$mnt/many" >/dev/null
    listed=$(tail -n "+$((told + 1))" "$log" |
        awk -F '[:, ]+' '/ opcode: / && !/ (RELEASE|RELEASEDIR|FORGET|BATCH_FORGET) / {
                 nr[$5]++
             }
             END {for (kind in nr) print nr[kind], kind}' | sort -n | xargs)
    [[ $listed == "1 OPENDIR 101 GETXATTR" ]]
}
wait_until 5 cheap_list || fail "ls -l of 100 files, again: $listed"
wait_until 10 closes_balance || fail "not one RELEASE for each that was opened"
[[ $(grep -c 'opcode: FLUSH ' "$log") -le 1 ]] || fail "FLUSH at each close"
umount_fs
