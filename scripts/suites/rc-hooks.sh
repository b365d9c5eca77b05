# shellcheck shell=bash disable=SC2154
# rc-hooks.sh - appended to a copy of xfstests' common/rc, to teach it pagerfs.
#
# To the suite pagerfs is FSTYP=fuse with a subtype.  What it knows of that type
# suits network file systems on a permanent server; the functions below give
# pagerfs what the suite gives tmpfs, whose contents end with the mount too.

# df shows the subtype, the suite compares with the type alone.
eval "pagerfs_$(declare -f _fs_type)"
_fs_type() {
    pagerfs_"${FUNCNAME[0]}" "$@" | sed 's/^fuse\..*/fuse/'
}

# Every mount is a new file system: there is nothing to make or to clean.
_scratch_mkfs() {
    :
}

_try_scratch_mkfs_sized() {
    export MOUNT_OPTIONS="-o $PAGERFS_OPTIONS,size=$1"
}

# A mount cycle would lose the contents.
_scratch_cycle_mount() {
    _scratch_remount "$1"
}

_test_cycle_mount() {
    :
}

# By place: a test may have mounted the source a second time elsewhere.
_scratch_unmount() {
    _unmount "$SCRATCH_MNT"
}

# What cannot suit tmpfs, since it relies on a device behind the mount.
eval "pagerfs_$(declare -f _exclude_fs)"
_exclude_fs() {
    [ "$1" != tmpfs ] || set -- "$FSTYP"
    pagerfs_"${FUNCNAME[0]}" "$@"
}

# Hole positions are exact; nothing is rounded up to "all data".
_fstyp_has_non_default_seek_data_hole() {
    :
}

# What the suite keeps lists of file systems for, and tests only on those.
_require_names_are_bytes() {
    :
}

_filesystem_timestamp_range() {
    echo "$((1 << 63)) $(((1 << 63) - 1))"
}

# There is no fsck, but a daemon that died, or complains when it ends, has failed
# the test.  Tests call this too, and go on with what is mounted; check itself
# calls it after a test.
pagerfs_deaths() {
    [ -s "$PAGERFS_WORK/deaths" ] || return 0
    tee -a "$seqres.full" <"$PAGERFS_WORK/deaths"
    rm -f "$PAGERFS_WORK/deaths"
    return 1
}

_check_scratch_fs() {
    local tenths=100
    if [ "$iam" = check ]; then
        umount "$SCRATCH_MNT" 2>/dev/null
        while grep -qsx "$SCRATCH_DEV" "$PAGERFS_WORK"/daemons/*; do
            [ $((tenths -= 1)) -ge 0 ] || break
            sleep 0.1
        done
    fi
    pagerfs_deaths
}

_check_test_fs() {
    pagerfs_deaths
}

_repair_test_fs() {
    umount -l "$TEST_DIR"
}
