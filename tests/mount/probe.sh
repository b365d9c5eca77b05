#!/usr/bin/env bash
# A probe (a program that looks at one behaviour from inside) finds nothing to
# complain of on a small mount.   probe.sh PROGRAM [OPTIONS]
program=$(realpath "$1")
# shellcheck disable=SC2034  # for lib.sh
name=$(basename "$program")
# shellcheck source=tests/mount/lib.sh
source "$(dirname "$0")/lib.sh"

options=${2:-ram=8m,size=256m,nr_inodes=200000}
[[ $options != *allow_other* ]] || need_root
mount_fs "$options"
"$program" "$mnt" || fail "see above"
umount_fs
