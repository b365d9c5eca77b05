#!/usr/bin/env bash
# A source tree of hundreds of files (--long: thousands), several times the RAM budget,
# is unpacked and built on the mount; every product is the same as that of a host build.
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

# shellcheck source=tests/mount/tree.sh
source "$(dirname "$0")/tree.sh"

need gcc make tar awk

# build DIR: unpacks and builds there, then lists the sums of all files.
build() {
    mkdir -p "$1"
    tar -C "$1" -xf "$work/tree.tar"
    make -C "$1" -s -j2 || fail "the build in $1 fails"
    "$1/program" >"$1/output" || fail "the program built in $1 fails"
}

sums() {
    (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

# The compiler's time is that of its calls: few large files page as much as many.
tree_kept=$(long 180000 30000)
tree_generate "$(long 200 4000)"
build "$work/host"
sums "$work/host" >"$work/host.sums"

mount_fs ram=16m,size=1g
build "$mnt/tree"
say "$(find "$mnt/tree" -type f | wc -l) files, $(du -sm "$mnt/tree" | cut -f1) MiB"
find "$mnt/tree" -type f | uncache
sums "$mnt/tree" >"$work/mount.sums"
cmp "$work/host.sums" "$work/mount.sums" || fail "products differ"
(($(used_blocks) * 4 > 3 * 16 * 1024)) || fail "the tree is too small for this test"
max_rss 24 "ram=16m"
rm -r "$mnt/tree"
umount_fs
