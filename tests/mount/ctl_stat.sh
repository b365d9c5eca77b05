#!/usr/bin/env bash
# pagerctl tells what a mount does, to people and to programs, and changes its
# size=; from others than root and the owner it takes no orders.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need python3

# figure NAME...: from the JSON of stat.
figure() {
    "$PAGERCTL" stat --json "$mnt" | json "$@"
}

# Help is an answer, for all of it and for each command.
"$PAGERCTL" help >"$work/help" || fail "help"
"$PAGERCTL" --help | diff "$work/help" - || fail "--help is not help"
commands=$(awk '/^  / {print $1}' "$work/help")
for command in $commands; do
    for words in "$command -h" "$command --help" "help $command" \
        "$command $mnt --json -h"; do
        # shellcheck disable=SC2086  # words
        "$PAGERCTL" $words >"$work/out" 2>"$work/err" || fail "$words"
        grep -q "^usage: pagerctl $command " "$work/out" || fail "$words"
        [[ ! -s $work/err ]] || fail "$words: $(cat "$work/err")"
    done
done
[[ $commands == *stat*swapoff*set ]] || fail "help: $(cat "$work/help")"
"$PAGERCTL" stat -- -h 2>"$work/err" && fail "a path that is none"
grep -q "^pagerctl: -h: No such file" "$work/err" || fail "$(cat "$work/err")"
"$PAGERCTL" nothing 2>"$work/err" && fail "a command that is none"
grep -q "there is no command nothing" "$work/err" || fail "$(cat "$work/err")"

options=ram=8m,size=64m
[[ $(id -u) != 0 ]] || options+=,allow_other
mount_fs "$options"
mkdir "$mnt/dir"
"$HELPERS/blob" write 1 $((32 << 20)) "$mnt/dir/file" >/dev/null
[[ $(figure page_size) == 4096 ]] || fail "page_size"
[[ $(figure space limit) == 16384 ]] || fail "limit is $(figure space limit)"
[[ $(figure space data) == 8192 ]] || fail "data is $(figure space data)"
(($(figure swap blocks_used) >= 6000)) || fail "swap: $(figure swap blocks_used)"
(($(figure paging pageout_pages) >= 6000)) || fail "paged out"
(($(figure requests write) >= 32)) || fail "$(figure requests write) writes"
echo "$mnt/dir/file" | uncache
"$HELPERS/blob" read 1 $((32 << 20)) "$mnt/dir/file" >/dev/null
(($(figure paging pagein_pages) >= 6000)) || fail "paged in"
(($(figure paging readahead_used) > 0)) || fail "readahead was of no use"
(($(figure requests read) > 0)) || fail "no reads"
"$PAGERCTL" stat "$mnt" | grep -qE '^space +data +8192 +32.0M$' ||
    fail "for people: $("$PAGERCTL" stat "$mnt")"

# Any path on the mount will do; rates are lines, or objects a line.
lines=$("$PAGERCTL" stat -w 0.05 -c 3 "$mnt/dir/file" | wc -l)
((lines == 5)) || fail "two lines of head and three of rates are $lines"
"$PAGERCTL" stat -w 0.05 -c 2 --json "$mnt/dir" | tail -n 1 |
    json rates pagein_pages >/dev/null || fail "rates as JSON"

"$PAGERCTL" frag --json "$mnt" >"$work/frag"
pairs=$(json pairs <"$work/frag")
breaks=$(json breaks <"$work/frag")
[[ $(json files <"$work/frag") == 1 ]] || fail "one file is on swap"
((pairs > 5000 && breaks * 50 < pairs)) || fail "$breaks breaks in $pairs pairs"
"$PAGERCTL" frag "$mnt" | grep -q '^breaks/slots' || fail "frag for people"

# What cannot be written is told, by all of them; who says nothing has lost nothing.
for words in "stat $mnt" "stat --json $mnt" "stat -w 0.05 $mnt" "frag $mnt" \
    "swapon $mnt" "verify $mnt" "evict $mnt" help --version; do
    status=0
    # shellcheck disable=SC2086  # words
    "$PAGERCTL" $words >/dev/full 2>"$work/err" || status=$?
    ((status == 1)) || fail "status $status: $words >/dev/full"
    [[ $(cat "$work/err") == "pagerctl: standard output: cannot be written: \
No space left on device" ]] || fail "$words: $(cat "$work/err")"
done
closed() {
    "$@" >&-
}
refused "standard output: cannot be written: Bad file" \
    closed "$PAGERCTL" stat "$mnt"
"$PAGERCTL" set size=60m "$mnt" >&- || fail "nothing was to be written"

"$PAGERCTL" set size=40m "$mnt" || fail "set size=40m"
[[ $(stat -f -c %b "$mnt") == 10240 ]] || fail "df says $(stat -f -c %b "$mnt")"
refused "No space" dd if=/dev/urandom of="$mnt/more" bs=1M count=12 status=none
refused "less than what is used" "$PAGERCTL" set size=1m "$mnt"
refused "hold, about .*pagerctl swapon or a larger ram=" \
    "$PAGERCTL" set size=1t "$mnt"
hold=$(sed -n 's/.*about \([0-9]*\)m together.*/\1/p' "$work/err")
((hold >= 68 && hold <= 72)) || fail "8m and 64m hold ${hold}m"
"$PAGERCTL" set size=$((hold - 1))m "$mnt" || fail "not even $((hold - 1))m"
"$PAGERCTL" set size=60m "$mnt" || fail "set size=60m"
dd if=/dev/urandom of="$mnt/more" bs=1M count=12 status=none || fail "60m"
misused "size=10x: is no size" set size=10x "$mnt"
misused "give ram= or size=" set "$mnt"
misused "stat: there is no option -x" stat -x "$mnt"
refused "is not on a pagerfs" "$PAGERCTL" stat "$work"
refused "is not on a pagerfs" "$PAGERCTL" set size=1g /proc
refused "No such file" "$PAGERCTL" stat "$work/nothing"
if [[ $(id -u) == 0 ]] && as_user test -x "$PAGERCTL"; then
    as_user "$PAGERCTL" stat "$mnt" >/dev/null || fail "others may look"
    refused "only root and the user" as_user "$PAGERCTL" set size=50m "$mnt"
    [[ $(figure space limit) == 15360 ]] || fail "others may set size="
    mkdir -m 700 "$mnt/mine"
    refused "denied: by its mode or" as_user "$PAGERCTL" stat "$mnt/mine"
    chmod 600 "$mnt/more"
    refused "denied: by its mode or" \
        as_user "$PAGERCTL" advise "$mnt/more" random
fi
# watched PATH INTERVAL OPTIONS: mounts, and a line has been written.
watched() {
    mount_fs "$3"
    [[ -e $1 ]] || mkdir "$1"
    rm -f "$work/out"
    "$PAGERCTL" stat -w "$2" "$1" >"$work/out" 2>"$work/err" &
    watcher=$!
    wait_until 10 test -s "$work/out" || fail "no line of -w"
}

# watch_ends WHY: with it, in a line.
watch_ends() {
    local status=0
    wait "$watcher" || status=$?
    ((status == 1)) || fail "status $status: $1"
    [[ $(cat "$work/err") == *"$1"* && $(wc -l <"$work/err") == 1 ]] ||
        fail "not $1: $(cat "$work/err")"
}

umount_fs
refused "not on a pagerfs" "$PAGERCTL" stat "$mnt"

# Who watches keeps nobody from unmounting, and does not go on with what is below,
# nor with what is mounted next.
watched "$mnt" 1 ram=8m,size=64m
umount_fs
watch_ends "mnt: is not there any more: removed, or not mounted"
watched "$mnt/dir" 1 ram=8m,size=64m
umount_fs
watch_ends "mnt/dir: is not there any more"
watched "$mnt" 1 ram=8m,size=64m
umount_fs
mount_fs ram=8m,size=64m
watch_ends "mnt: is not there any more"
umount_fs

# Its daemon is killed while it is watched.
watched "$mnt" 0.01 ram=8m,size=64m
kill -9 "$daemon"
watch_ends "mnt: its daemon is dead; fusermount3 -u removes the mount"
refused "its daemon is dead" "$PAGERCTL" stat "$mnt"
fusermount3 -u "$mnt" || fail "fusermount3 -u of a dead mount"
daemon=
