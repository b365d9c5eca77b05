# packages.sh - installs what is missing; sourced by quickstart and test.
#
#   install_missing PACKAGE...   Debian's names; asks sudo when not root
# shellcheck shell=bash

build_packages=(gcc libc6-dev meson ninja-build pkg-config libfuse3-dev fuse3
    libjson-c-dev liburing-dev)
# shellcheck disable=SC2034  # used by scripts/test
test_packages=("${build_packages[@]}" clang libclang-rt-dev check make
    acl attr e2fsprogs procps python3 scdoc shellcheck util-linux)
# shellcheck disable=SC2034  # used by scripts/bench
bench_packages=("${build_packages[@]}" fio git make util-linux)

is_installed() {
    dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q ' installed$'
}

install_missing() {
    local package missing=() become=()
    if ! command -v dpkg-query >/dev/null; then
        echo "not a Debian: taking it that there are: $*"
        return
    fi
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]} > 0)) || return 0
    if [[ $(id -u) != 0 ]]; then
        if ! command -v sudo >/dev/null; then
            echo "missing, and no sudo to install them; as root:" >&2
            echo "    apt-get install ${missing[*]}" >&2
            return 1
        fi
        become=(sudo)
    fi
    echo "installing ${missing[*]}"
    # A fresh machine has no package lists yet.
    "${become[@]}" apt-get update -qq
    "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
