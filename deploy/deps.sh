#!/bin/bash
# Installs the Debian packages that are missing, and says which and why.
# usage: deploy/deps.sh build|check|deb|list      (DEPS=skip: does nothing)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

packages() { # package | kind | why
    cat <<'LIST'
gcc              | build | the compiler
libc6-dev        | build | headers of the C library
make             | build | runs the Makefile
pkgconf          | build | where the libraries below are
libpcap-dev      | build | packets from interfaces and files
libnids-dev      | build | TCP reassembly of signaling and relay control
libsqlite3-dev   | build | the database
libsmartcols-dev | build | tables that fit the terminal
libjansson-dev   | build | JSON in and out
zlib1g-dev       | build | compressed logs
libinih-dev      | build | the configuration file
libcap-ng-dev    | build | dropping privileges
libsystemd-dev   | build | telling systemd: ready, alive, reloading
libseccomp-dev   | build | which system calls remain
libmicrohttpd-dev | build | HTTP: serve, feeds, metrics
libncurses-dev   | build | the screen of top
libexpat1-dev    | build | SDN messages: XML
libssl-dev       | build | decrypting TLS with keys that the user has, pseudonyms (libcrypto only; libssl speaks in tests)
libcmocka-dev    | check | unit tests
clang            | check | second compiler, fuzzers
clang-format     | check | layout of the code
valgrind         | check | memory errors in the program as it ships
tshark           | check | second opinion on captures
prometheus       | check | promtool: the form of figures
openssl          | check | TLS connections of every version and cipher, made by somebody else
gnutls-bin       | check | TLS with what OpenSSL does not speak any more (3DES)
sqlite3          | check | the database as its users read it
curl             | check | asks serve as programs do
chromium         | check | the pages in a real browser
nodejs           | check | drives that browser, and runs the checker of HTML pages
npm              | check | fetches what drives it, and the checker (playwright-core, axe-core, html-validate; into build/, pinned)
tmux             | check | a terminal for top that a test can look at
jq               | check | what JSON lines are for
mandoc           | check | lints the man pages
iproute2         | check | live tests: network namespaces, mirrored ports
nftables         | check | live tests: refuse, drop, prohibit
sip-tester       | check | live tests: real SIP over TCP and UDP (sipp)
kamailio         | check | live tests: a real sender of HEP
kamailio-tls-modules | check | live tests: SIP over TLS between two real servers
coturn           | check | live tests: a real TURN server and its client
python3          | check | live tests: an Edge and its clients in small
debhelper        | deb   | builds the Debian package
dpkg-dev         | deb   | likewise
lintian          | deb   | looks the Debian package over
systemd          | check | looks the units over (systemd-analyze)
LIST
}

wanted() { # KIND: package names; each kind needs build too, and check makes a package
    packages | awk -F' *[|] *' -v kind="$1" '
        $2 == "build" || $2 == kind || (kind == "check" && $2 == "deb") { print $1 }'
}

why() { # PACKAGE
    packages | awk -F' *[|] *' -v name="$1" '$1 == name { print $3 }'
}

installed() { # PACKAGE; node and npm may well come from elsewhere, and then Debian's npm does not fit
    case $1 in
        nodejs) command -v node >/dev/null && return ;;
        npm) command -v npm >/dev/null && return ;;
    esac
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

known() { # PACKAGES: apt has a version of each to offer
    [ "$(apt-cache policy "$@" 2>/dev/null | grep -cE 'Candidate: [^(]')" = $# ]
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        echo "deps: neither root nor sudo here. Install these packages, then go on with DEPS=skip." >&2
        exit 77
    fi
}

# What apt prints at length goes to a log; its complaints stay visible.
apt() {
    mkdir -p "$root/build/logs"
    as_root apt-get -q -o Dpkg::Use-Pty=0 "$@" >>"$root/build/logs/apt.log"
}

# Packages for tests bring services (coturn): none is to be started by installing them.
quiet_services() {
    [ -e /usr/sbin/policy-rc.d ] && return
    as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d'
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
}

kind=${1:-build}
if [ "$kind" = list ]; then
    packages
    exit 0
fi
[ "${DEPS:-}" = skip ] && exit 0

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "deps: this is no Debian: see INSTALL for the libraries, then go on with DEPS=skip" >&2
    exit 69
fi

missing=()
for package in $(wanted "$kind"); do
    installed "$package" || missing+=("$package")
done
[ ${#missing[@]} = 0 ] && exit 0

echo "deps: ${#missing[@]} packages are missing (DEPS=skip leaves them to you):"
for package in "${missing[@]}"; do
    printf '    %-17s %s\n' "$package" "$(why "$package")"
done

[ "$kind" = check ] && quiet_services
if ! known "${missing[@]}"; then
    echo "deps: apt-get update (no package lists yet)"
    apt update
fi
echo "deps: apt-get install ${missing[*]}"
if ! apt install -y --no-install-recommends "${missing[@]}"; then
    echo "deps: once more with fresh package lists"
    apt update
    apt install -y --no-install-recommends "${missing[@]}"
fi
