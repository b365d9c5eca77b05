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

"$PAGERCTL" set size=40m "$mnt" || fail "set size=40m"
[[ $(stat -f -c %b "$mnt") == 10240 ]] || fail "df says $(stat -f -c %b "$mnt")"
refused "No space" dd if=/dev/urandom of="$mnt/more" bs=1M count=12 status=none
refused "less than what is used" "$PAGERCTL" set size=1m "$mnt"
refused "hold" "$PAGERCTL" set size=1t "$mnt"
"$PAGERCTL" set size=60m "$mnt" || fail "set size=60m"
dd if=/dev/urandom of="$mnt/more" bs=1M count=12 status=none || fail "60m"
refused "usage" "$PAGERCTL" set size=10x "$mnt"
refused "usage" "$PAGERCTL" set "$mnt"
refused "is not on a pagerfs" "$PAGERCTL" stat "$work"
refused "is not on a pagerfs" "$PAGERCTL" set size=1g /proc
refused "No such file" "$PAGERCTL" stat "$work/nothing"
if [[ $(id -u) == 0 ]] && as_user test -x "$PAGERCTL"; then
    as_user "$PAGERCTL" stat "$mnt" >/dev/null || fail "others may look"
    refused "only root and the user" as_user "$PAGERCTL" set size=50m "$mnt"
    [[ $(figure space limit) == 15360 ]] || fail "others may set size="
fi
umount_fs
refused "not on a pagerfs" "$PAGERCTL" stat "$mnt"
