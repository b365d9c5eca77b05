#!/usr/bin/env bash
# A wrong option is refused with one line that says which, a status that is not
# zero, and nothing mounted or left behind; a right one is taken.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon

# refuse WORD OPTIONS [ARGUMENT...]: the message has WORD in it.
refuse() {
    local word=$1 options=$2 status=0
    shift 2
    timeout 20 "$PAGERFS" -o "$options" source "${@:-$mnt}" \
        >"$work/out" 2>"$work/err" </dev/null || status=$?
    is_mounted && fail "-o $options is mounted"
    ((status != 0)) || fail "-o $options: status 0"
    ((status < 124)) || fail "-o $options: killed, status $status"
    [[ $(wc -l <"$work/err") == 1 ]] ||
        fail "-o $options: not one line: $(cat "$work/err")"
    grep -q -- "$word" "$work/err" ||
        fail "-o $options: no \"$word\" in: $(cat "$work/err")"
    [[ ! -s $work/out ]] || fail "-o $options: talks on stdout"
    [[ -z $(ls -A "$swap") ]] || fail "-o $options: leaves something in swap="
}

accept() {
    mount_fs "$1"
    [[ $(stat -c "$2" "$mnt") == "$3" ]] || fail "-o $1: $2 is not $3"
    umount_fs
}

base=ram=8m,swap=$swap
refuse nonsense "$base,nonsense"
refuse nonsense "$base,nonsense=5"
for option in size ram swapsize nr_inodes nr_blocks; do
    for value in '' x -1 1q 1mm 99999999999999999999 0x10 ' 1'; do
        refuse "$option" "$base,$option=$value"
    done
done
refuse size "$base,size=120x%"
refuse 'at least 12k' "$base,size=4096"
refuse 'at most 128g' "$base,ram=1000g"
refuse ram "$base,ram=0"
refuse ram "$base,ram=4k"
for value in '' 8 77777 rwx -1; do
    refuse mode "$base,mode=$value"
done
for option in uid gid; do
    for value in '' nobody -2 4294967296; do
        refuse "$option" "$base,$option=$value"
    done
done
refuse cache "$base,cache=maybe"
refuse replacement "$base,replacement=maybe"
refuse swap "ram=8m,swap="
refuse 'swap=PLACE:size=' "ram=8m,swap=$swap:size=x"
refuse 'none takes no' "ram=8m,swap=none:pri=1"
refuse "$work/absent" "ram=8m,swap=$work/absent/dir"
refuse swap "ram=8m,swap=/dev/null"
refuse 'swap= instead of none' "ram=8m,swap=none,size=1g"
refuse 'larger swapsize=' "ram=8m,swap=$swap,swapsize=16m,size=1g"
refuse size "ram=8m,swap=$swap,size=4000000g"
refuse 'ram=4m.*at least ram=' "ram=4m,swap=$swap,size=12g"
refuse "$work/absent" "$base" "$work/absent"
echo >"$work/plain"
refuse plain "$base" "$work/plain"
if [[ $(id -u) != 0 ]]; then
    mkdir "$work/readonly"
    chmod 555 "$work/readonly"
    refuse readonly "ram=8m,swap=$work/readonly"
fi

# Who forgot -o is asked; the second name is the mount point then.
refused 'did you mean -o' "$PAGERFS" ram=8m "$mnt"
is_mounted && fail "ram=8m is taken for the source"

accept "size=12k,ram=8m," %a 1777
accept "mode=750" %a 750
accept "mode=1777,uid=12,gid=34" %u:%g 12:34
refuse size "size=10m,ram=8m,swap=none"
accept "size=4m,ram=8m,swap=none" %a 1777
accept "size=1%" %a 1777
# What is more than the bookkeeping has room for is no default, either.
accept "size=0,ram=4m" %a 1777
mount_fs "ram=4m"
(($(stat -f -c '%b' "$mnt") < 2 << 18)) || fail "ram=4m: the default is 2 GiB or more"
umount_fs
accept "nr_blocks=1k,ram=8m" %a 1777

# With grpid what is new has the group of its directory, else that of its maker.
groups_are() {
    mount_fs "ram=8m,mode=1777,$1"
    touch "$mnt/file"
    mkdir "$mnt/dir"
    mkfifo "$mnt/dir/fifo"
    [[ $(stat -c %g "$mnt/file" "$mnt/dir" "$mnt/dir/fifo" | sort -u) == "$2" ]] ||
        fail "$1: groups $(stat -c %g "$mnt/file" "$mnt/dir" "$mnt/dir/fifo"), not $2"
    [[ $(stat -c %A "$mnt/dir") != *[sS]* ]] || fail "$1: a set-gid directory"
    umount_fs
}
groups_are grpid,gid=4321 4321
groups_are gid=4321 "$(id -g)"
