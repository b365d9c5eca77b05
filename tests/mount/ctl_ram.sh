#!/usr/bin/env bash
# pagerctl changes ram= of a mount in use, both ways, while four others write and
# read: what is in it stays what it was, memory goes back to the system, and what
# must stay in memory is not squeezed.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon

memory() {
    "$PAGERCTL" stat "$mnt" | awk -v name="$1" '$2 == name {print $3}'
}

resident() {
    echo $(($(memory pages_clean) + $(memory pages_dirty)))
}

set_ram() {
    "$PAGERCTL" set ram="$1" "$mnt" || fail "set ram=$1"
    (($(memory ram) == ${1%m} << 20)) || fail "ram=$1: $(memory ram)"
}

# The daemon has no more resident now, nor a little later, than ram= and 8 MiB.
expect_rss() {
    local kib
    [[ -z ${SANITIZED:-} ]] || return 0
    for _ in {1..5}; do
        kib=$(awk '/^VmRSS:/ {print $2}' "/proc/$daemon/status")
        ((kib <= ($1 + 8) * 1024)) || fail "RSS is $kib KiB with ram=$1m"
        sleep 0.02
    done
    say "RSS $kib KiB with ram=$1m"
}

# Writes and reads a file of its own, as long as it is wanted.
load() {
    while [[ -e $work/go ]]; do
        "$HELPERS/blob" write "$1" $((6 << 20)) "$mnt/load$1" >/dev/null &&
            uncache <<<"$mnt/load$1" &&
            "$HELPERS/blob" read "$1" $((6 << 20)) "$mnt/load$1" >/dev/null ||
            return 1
    done
}

file=$((48 << 20))
options=ram=64m,size=256m
[[ $(id -u) != 0 ]] || options+=,allow_other
mount_fs "$options"
"$HELPERS/blob" write 9 $file "$mnt/file" >/dev/null
(($(resident) > 10000)) || fail "not much is resident: $(resident)"
size=$(stat -f -c %b "$mnt")

touch "$work/go"
loads=()
for i in 1 2 3 4; do
    load "$i" &
    loads+=($!)
done
set_ram 16m
expect_rss 16
set_ram 64m
set_ram 20m
expect_rss 20
rm "$work/go"
for i in "${loads[@]}"; do
    wait "$i" || fail "what was written is not what was read"
done
(($(memory frames) * 4096 < 20 << 20)) || fail "frames: $(memory frames)"
[[ $(stat -f -c %b "$mnt") == "$size" ]] || fail "statfs has another size"
uncache <<<"$mnt/file"
"$HELPERS/blob" read 9 $file "$mnt/file" >/dev/null || fail "it has changed"
expect_rss 20

small=$(resident)
set_ram 96m
uncache <<<"$mnt/file"
"$HELPERS/blob" read 9 $file "$mnt/file" >/dev/null || fail "it has changed"
(($(resident) > small + 7000)) || fail "$(resident) pages are resident"
"$PAGERCTL" set size=80m ram=64m "$mnt" || fail "both at once"
(($(memory ram) == 64 << 20)) || fail "ram=64m: $(memory ram)"
(($(stat -f -c %b "$mnt") == 80 << 8)) || fail "size=80m"
refused "ram= is changed, but size=1.0T is more than" \
    "$PAGERCTL" set size=1t ram=48m "$mnt"
(($(memory ram) == 48 << 20)) || fail "said, but not done: $(memory ram)"
(($(stat -f -c %b "$mnt") == 80 << 8)) || fail "size= was refused"
refused "mnt: ram=.* is more than" "$PAGERCTL" set size=90m ram=1000t "$mnt"
(($(stat -f -c %b "$mnt") == 80 << 8)) || fail "size= after a refused ram="
set_ram 64m

# What cannot be paged out, and what is no size for this mount.
rm "$mnt"/load?
mkdir "$mnt/many"
"$HELPERS/entries" make "$mnt/many" 40000 0 0 >/dev/null
before=$(memory ram)
refused "too little for what is in use: give at least" \
    "$PAGERCTL" set ram=16m "$mnt"
(($(memory ram) == before)) || fail "refused, but changed: $(memory ram)"
least=$(grep -o '[0-9]*m$' "$work/err")
say "40000 files and more: at least ram=$least"
set_ram "$least"
expect_rss "${least%m}"
refused "give at least" "$PAGERCTL" set ram=1m "$mnt"
refused "give at least" "$PAGERCTL" set ram=0 "$mnt"
refused "give at most" "$PAGERCTL" set ram=1000t "$mnt"
misused "ram=10%: is no size" set ram=10% "$mnt"
misused "ram=12m: is given twice" set ram=10m ram=12m "$mnt"
if [[ $(id -u) == 0 ]] && as_user test -x "$PAGERCTL"; then
    refused "only root and the user" as_user "$PAGERCTL" set ram=40m "$mnt"
fi
(($(find "$mnt/many" | wc -l) == 40001)) || fail "files are missing"
"$HELPERS/blob" read 9 $file "$mnt/file" >/dev/null || fail "it has changed"
umount_fs

# With RAM and swap full nobody gets stuck over it.
mount_fs ram=24m,size=64m,swapsize=64m
# Who needs a frame waits while others are taken away, as long as that lasts; who
# needs none passes by: so being overtaken proves nothing here.
"$HELPERS/pressure" "$mnt" 8 3 14000 60 1000000000 >"$work/said" &
pressure=$!
sleep 1
while kill -0 "$pressure" 2>/dev/null; do
    for ram in 14m 64m 16m; do
        set_ram "$ram"
        expect_rss "${ram%m}"
    done
done
wait "$pressure" || fail "$(cat "$work/said")"
umount_fs
