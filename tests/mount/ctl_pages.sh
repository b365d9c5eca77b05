#!/usr/bin/env bash
# pagerctl sends pages out of memory, of one file or of all, and the memory goes
# back to the system; advice decides what a read brings along.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
need python3

rss_mib() {
    awk '/^VmRSS:/ {print int($2 / 1024)}' "/proc/$daemon/status"
}

# figures GROUP NAME...: several at once, in a line.
figures() {
    "$PAGERCTL" stat --json "$mnt" | python3 -c 'import json, sys
group = json.load(sys.stdin)[sys.argv[1]]
print(*(group[name] for name in sys.argv[2:]))' "$@"
}

mount_fs ram=64m,size=256m
"$HELPERS/blob" write 1 $((24 << 20)) "$mnt/one" >/dev/null
"$HELPERS/blob" write 2 $((8 << 20)) "$mnt/two" >/dev/null
read -r dirty < <(figures memory pages_dirty)
((dirty >= 8192)) || fail "only $dirty pages are dirty: they cannot be evicted"

"$PAGERCTL" evict "$mnt/one" >"$work/out" || fail "evict"
[[ $(cat "$work/out") == "6144 pages evicted, 0 in use" ]] ||
    fail "evict of 24 MiB: $(cat "$work/out")"
read -r dirty clean < <(figures memory pages_dirty pages_clean)
((dirty + clean == 2048)) || fail "$dirty dirty and $clean clean pages are left"
if [[ -z ${SANITIZED:-} ]]; then
    (($(rss_mib) < 24)) || fail "RSS is $(rss_mib) MiB after eviction"
fi
"$PAGERCTL" evict "$mnt" >"$work/out" || fail "evict everything"
[[ $(cat "$work/out") == "2048 pages evicted, 0 in use" ]] ||
    fail "evict of the rest: $(cat "$work/out")"
(($("$PAGERCTL" frag --json "$mnt" | json breaks) < 20)) || fail "fragmented"

# One page in the middle, as often as it takes to look like a stream.
touch_pages() {
    local i
    for i in 2000 2001 2002 2003; do
        dd if="$mnt/one" of=/dev/null bs=4k skip=$i count=1 iflag=direct \
            status=none || fail "reading page $i"
    done
}
"$PAGERCTL" advise "$mnt/one" random || fail "random"
read -r before < <(figures paging pagein_pages)
touch_pages
# A page may be counted a moment after it can be used.
four_came() {
    read -r after < <(figures paging pagein_pages)
    ((after - before >= 4))
}
wait_until 10 four_came || true
((after - before == 4)) || fail "random: $((after - before)) pages for 4"

"$PAGERCTL" advise "$mnt/one" sequential || fail "sequential"
dd if="$mnt/one" of=/dev/null bs=4k skip=3000 count=1 iflag=direct status=none
read_far() {
    read -r before < <(figures paging readahead_pages)
    ((before >= 64))
}
wait_until 10 read_far || fail "sequential: $before pages were read ahead"
"$PAGERCTL" advise "$mnt/one" default || fail "default"

"$PAGERCTL" advise "$mnt/two" willneed >"$work/out" || fail "willneed"
[[ $(cat "$work/out") == "2048 pages are being read" ]] ||
    fail "willneed: $(cat "$work/out")"
"$PAGERCTL" advise "$mnt/two" dontneed >"$work/out" || fail "dontneed"
grep -q 'pages go first$' "$work/out" || fail "dontneed: $(cat "$work/out")"
for file in one:1:24 two:2:8; do
    IFS=: read -r path seed mib <<<"$file"
    "$HELPERS/blob" read "$seed" $((mib << 20)) "$mnt/$path" >/dev/null ||
        fail "$path has changed"
done

"$PAGERCTL" advise "$mnt" random 2>"$work/err" && fail "advice for a directory"
grep -q "is a directory" "$work/err" || fail "$(cat "$work/err")"
misused "often: is no advice" advise "$mnt/two" often
"$PAGERCTL" evict "$work/out" 2>"$work/err" && fail "evict of another file"
grep -q "is not on a pagerfs" "$work/err" || fail "$(cat "$work/err")"
umount_fs

# Nothing to evict is well, too little swap is not.
mount_fs ram=16m,size=8m,swapsize=1m
"$PAGERCTL" evict "$mnt" >/dev/null || fail "evict of nothing"
"$HELPERS/blob" write 1 $((4 << 20)) "$mnt/one" >/dev/null
refused "swap has no room for all of it" "$PAGERCTL" evict "$mnt/one"
umount_fs

# Without swap there is nowhere to go.
mount_fs ram=16m,swap=none
refused "no swap to evict to.* pagerctl swapon" "$PAGERCTL" evict "$mnt"
"$HELPERS/blob" write 1 $((4 << 20)) "$mnt/one" >/dev/null
refused "no swap to evict to" "$PAGERCTL" evict "$mnt/one"
"$HELPERS/blob" read 1 $((4 << 20)) "$mnt/one" >/dev/null || fail "reading"
umount_fs
