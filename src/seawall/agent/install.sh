#!/bin/sh
# Puts Seawall's agent on this node: the console's "Install one more" command downloads this script, compares its
# hash, and runs it as root. What is downloaded here is compared with the hash below before it is unpacked.
#   seawall-agent.sh --server https://HOST:8443 --token TOKEN --ca-fingerprint SHA256 [--prefix DIR] [--state DIR] [--scanner]
# --scanner brings the engine of the malware scanner too (about 40 MB on disk); without it files are compared by hash only.
#   seawall-agent.sh --uninstall
set -eu

archive_sha256='@ARCHIVE_SHA256@'
scanner_sha256='@SCANNER_SHA256@'
scanner_arch='@SCANNER_ARCH@'
prefix=/opt/seawall-agent
state=/var/lib/seawall
server='' token='' fingerprint='' uninstall='' scanner=''

fail() {
    echo "seawall: $1" >&2
    [ -z "${2:-}" ] || echo "hint: $2" >&2
    exit 1
}

while [ $# -gt 0 ]; do
    case $1 in
        --uninstall) uninstall=yes; shift; continue ;;
        --scanner) scanner=yes; shift; continue ;;
        --server | --token | --ca-fingerprint | --prefix | --state) [ $# -ge 2 ] || fail "$1 needs a value" ;;
        *) fail "there is no option $1" ;;
    esac
    case $1 in
        --server) server=${2%/} ;;
        --token) token=$2 ;;
        --ca-fingerprint) fingerprint=$2 ;;
        --prefix) prefix=$2 ;;
        --state) state=$2 ;;
    esac
    shift 2
done

[ "$(id -u)" = 0 ] || fail 'only root can install the agent' 'run it with sudo'
case $prefix$state in *[!A-Za-z0-9/._-]*) fail 'paths may hold letters, digits and / . _ - only' ;; esac

if [ -n "$uninstall" ]; then
    if [ -d /run/systemd/system ]; then
        systemctl disable --now seawall-agent.service 2> /dev/null || true
        rm -f /etc/systemd/system/seawall-agent.service
        systemctl daemon-reload
    fi
    rm -rf "$prefix/seawall" "$prefix/scanner" "$state/agent"
    echo 'seawall: the agent is gone from this node; delete it in the console too' >&2
    exit 0
fi

case $server in https://?*) ;; *) fail 'where is the server? --server https://HOST:8443' ;; esac
[ -n "$token" ] && [ -n "$fingerprint" ] || fail '--token and --ca-fingerprint are needed' 'copy the whole command from the console'
command -v openssl > /dev/null || fail 'openssl is not installed: the agent makes its key with it' 'apt-get install openssl'
command -v curl > /dev/null || fail 'curl is not installed' 'apt-get install curl'

python=''
for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$name" > /dev/null && "$name" -c 'import sys, ssl; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
        python=$(command -v "$name")
        break
    fi
done
[ -n "$python" ] || fail 'Python 3.11 or newer is needed' 'apt-get install python3 (Debian 12, Ubuntu 24.04 or newer)'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# -k: the server's certificate cannot be known yet. The hash is: it came with the command that was copied.
curl -fsSk --max-time 120 --max-filesize 52428800 "$server/install/seawall-agent.tar.gz" -o "$work/agent.tar.gz" ||
    fail "cannot download the agent from $server" 'is the address reachable from this node?'
echo "$archive_sha256  $work/agent.tar.gz" | sha256sum -c - > /dev/null ||
    fail 'the download is not what the server promised' 'copy the command from the console again'

if [ -n "$scanner" ]; then
    [ -n "$scanner_sha256" ] || fail 'this server has no scanner to give' 'run the command without --scanner'
    [ "$(uname -m)" = "$scanner_arch" ] || fail "the server's scanner is for $scanner_arch, this node is $(uname -m)" 'run the command without --scanner'
    curl -fsSk --max-time 300 --max-filesize 104857600 "$server/install/seawall-scanner.tar.gz" -o "$work/scanner.tar.gz" ||
        fail "cannot download the scanner from $server"
    echo "$scanner_sha256  $work/scanner.tar.gz" | sha256sum -c - > /dev/null ||
        fail 'the scanner is not what the server promised' 'copy the command from the console again'
fi

mkdir -p "$prefix" "$state"
chmod 700 "$state"
rm -rf "$prefix/seawall.new"
mkdir "$prefix/seawall.new"
tar -xzf "$work/agent.tar.gz" -C "$prefix/seawall.new" --no-same-owner
rm -rf "$prefix/seawall.old"
[ ! -e "$prefix/seawall" ] || mv "$prefix/seawall" "$prefix/seawall.old"
mv "$prefix/seawall.new/seawall" "$prefix/seawall"
rm -rf "$prefix/seawall.old" "$prefix/seawall.new"

if [ -n "$scanner" ]; then
    rm -rf "$prefix/scanner"
    tar -xzf "$work/scanner.tar.gz" -C "$prefix" --no-same-owner
fi

export PYTHONPATH="$prefix"
"$python" -s -P -m seawall agent enroll --force --state "$state" \
    --server "$server" --token "$token" --ca-fingerprint "$fingerprint"
"$python" -s -P -m seawall agent install --state "$state"
