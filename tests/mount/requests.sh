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

# requests_of COMMAND...: their number and kinds, but for those nobody waits for.
requests_of() {
    local told
    told=$(wc -l <"$log")
    "$@" >/dev/null 2>&1
    tail -n "+$((told + 1))" "$log" |
        awk -F '[:, ]+' '/ opcode: / && !/ (RELEASE|RELEASEDIR|FORGET|BATCH_FORGET) / {
                 nr[$5]++
             }
             END {for (kind in nr) print nr[kind], kind}' | sort -n | xargs
}

# lists_with REQUESTS: "ls -l" of 100 files, again.
lists_with() {
    mkdir "$mnt/many"
    touch "$mnt"/many/{1..100}
    ls -l "$mnt/many" >/dev/null
    cheap_list() {
        listed=$(requests_of ls -l "$mnt/many")
        [[ $listed == "$1" ]]
    }
    wait_until 5 cheap_list "$1" || fail "ls -l of 100 files, again: $listed"
}

# coreutils asks for two attributes of each name and of the directory: what the
# kernel knows it answers itself, but security.selinux it always asks us.
lists_with "1 OPENDIR 101 GETXATTR"
wait_until 10 closes_balance || fail "not one RELEASE for each that was opened"
[[ $(grep -c 'opcode: FLUSH ' "$log") -le 1 ]] || fail "FLUSH at each close"
umount_fs

# Where there are no extended attributes, that is asked once.
mount_fs ram=16m,size=64m,debug,noxattr
lists_with "1 OPENDIR"
[[ $(requests_of dd if=/dev/zero of="$mnt/many/1" bs=4k count=1 conv=notrunc) == \
    "1 OPEN 1 WRITE" ]] || fail "writing asks for attributes"
for attribute in user.a security.a trusted.a; do
    why=$(setfattr -n "$attribute" -v 0 "$mnt/many/1" 2>&1) &&
        fail "$attribute can be set"
    [[ $why == *"not supported"* || $why == *"not permitted"* ]] || fail "$why"
done
[[ -z $(getfattr -d -m - "$mnt/many/1" 2>/dev/null) ]] || fail "there are attributes"
umask 027
touch "$mnt/many/masked"
[[ $(stat -c %a "$mnt/many/masked") == 640 ]] || fail "the umask does not count"
umount_fs
