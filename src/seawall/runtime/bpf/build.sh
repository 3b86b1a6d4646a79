#!/usr/bin/env bash
# Builds the eBPF objects beside their sources; what is newer than all its sources is left alone.
set -euo pipefail
cd "$(dirname "$0")"

fail() { printf 'build.sh: %s\n' "$1" >&2; exit 1; }

case $(uname -m) in
    x86_64) arch=x86 ;;
    *) fail "no system call numbers for $(uname -m) yet: the sensor runs on x86-64" ;;
esac

build() {
    command -v clang > /dev/null || fail 'clang is missing. Try: apt-get install clang'
    [ -e /usr/include/bpf/bpf_helpers.h ] || fail 'the headers of libbpf are missing. Try: apt-get install libbpf-dev'
    clang -g -O2 -Wall -Werror -mcpu=v3 -target bpf "-D__TARGET_ARCH_$arch" "${@:3}" -c "$1" -o "$2.part"
    mv "$2.part" "$2" # never a half-written object
}

for source in *.bpf.c; do
    object=${source%.c}.o
    for input in "$source" *.h; do
        if [ ! -e "$object" ] || [ "$input" -nt "$object" ]; then
            build "$source" "$object"
            build "$source" "${object%.bpf.o}.old.o" -DSEAWALL_OLD # for kernels before 5.17
            break
        fi
    done
done
