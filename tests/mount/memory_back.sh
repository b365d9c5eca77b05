#!/usr/bin/env bash
# What was deleted is given back: the daemon's memory to within 2 MiB of what a
# fresh one has, and the swap file to less than a hundredth of its peak; and then
# nobody wakes up any more.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

need_daemon
[[ -z ${SANITIZED:-} ]] || skip "a sanitizer's memory is not the daemon's"

rss_kib() {
    awk '/^VmRSS:/ {print $2}' "/proc/$daemon/status"
}

swap_kib() {
    local file
    file=$(find "/proc/$daemon/fd" -lname "$swap/*")
    echo $(($(stat -L -c %b "$file") / 2))
}

mount_fs "ram=${1:-64m},size=400m"
fresh=$(rss_kib)
"$HELPERS/blob" write 1 $((200 << 20)) "$mnt/file" || fail "writing"
mkdir "$mnt/small"
for i in {1..2000}; do
    echo "$i" >"$mnt/small/$i"
done
uncache <<<"$mnt/file"
"$HELPERS/blob" read 1 $((200 << 20)) "$mnt/file" || fail "reading"
peak_rss=$(rss_kib) peak_swap=$(swap_kib)
rm -r "$mnt/file" "$mnt/small"

is_back() {
    (($(rss_kib) <= fresh + 2048 && $(swap_kib) * 100 <= peak_swap))
}
back=0
wait_until 30 is_back || back=1
say "RSS $fresh KiB fresh, $peak_rss in use, $(rss_kib) after; swap $peak_swap KiB in use, $(swap_kib) after"
((back == 0)) || fail "not given back after 30 seconds"

rests "what gave its memory back"
umount_fs
