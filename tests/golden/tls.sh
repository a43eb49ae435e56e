#!/bin/bash
# The real TLS captures with keys: what we read of them against what tshark reads (follow,tls).
#
# usage: tests/golden/tls.sh
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
captures=${EW_CAPTURES:-../shared/captures}
dump=build/release/golden/stream_dump

if [ ! -d "$captures" ]; then
    skip tls "no captures in $captures (EW_CAPTURES names the folder)"
    exit 0
fi
if ! command -v tshark >/dev/null; then
    skip tls "no tshark to compare with"
    exit 0
fi
[ -x "$dump" ] || make --no-print-directory "$dump" >/dev/null

# tshark's plain text, a line per direction, in no order: it does not always know the far end
theirs() { # CAPTURE TSHARK-OPTION...
    local file=$1 s
    shift
    for s in $(tshark -n -r "$file" -T fields -e tcp.stream 2>/dev/null | sort -nu); do
        tshark -n -r "$file" "$@" -q -z "follow,tls,raw,$s" 2>/dev/null | awk '
            /^[0-9a-f]+$/ { a = a $1 }
            /^\t[0-9a-f]+$/ { b = b $1 }
            END { if (a) print a; if (b) print b }'
    done | sort
}

check() { # NAME CAPTURE OUR-OPTION FILE TSHARK-OPTIONS...
    local name=$1 file=$captures/$2 ours=()
    [ -z "$3" ] || ours=("$3" "$captures/$4")
    shift 4
    local want got
    want=$(theirs "$file" "$@")
    got=$("$dump" -t "${ours[@]}" "$file" 2>/dev/null | cut -d ' ' -f 2 | sort)
    if [ -z "$want" ]; then
        not_ok "$name" "tshark reads nothing"
    else
        same "$name" "$want" "$got"
    fi
}

check "a server's key: TLS 1.2, CBC and RC4" pcapfs__feature_test.pcap -k pcapfs__server_private.key \
    -o "uat:rsa_keys:\"$captures/pcapfs__server_private.key\",\"\""
check "a key log: RSA and CLIENT_RANDOM lines" pcapfs__feature_test.pcap -l pcapfs__master_and_premaster.key \
    -o "tls.keylog_file:$captures/pcapfs__master_and_premaster.key"
check "a server's key: SSL 3.0, renegotiated and resumed" wireshark__rsasnakeoil2.pcap -k wireshark__rsasnakeoil2.key \
    -o "uat:rsa_keys:\"$captures/wireshark__rsasnakeoil2.key\",\"\""
check "a key log inside the capture" pcapsql__tls12-dsb.pcapng "" ""

# secrets inside a capture that are far more than a batch of the ring holds: 8,000 lines of others before them
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
awk 'BEGIN { for (i = 0; i < 8000; i++) printf "CLIENT_RANDOM %064x %096x\n", i, i * 7 }' >"$work/many.log"
cat "$captures/pcapfs__master_and_premaster.key" >>"$work/many.log"
if editcap --inject-secrets "tls,$work/many.log" "$captures/pcapfs__feature_test.pcap" "$work/many.pcapng" 2>"$work/said"; then
    same "a megabyte of secrets inside the capture" "$(theirs "$work/many.pcapng")" \
        "$("$dump" -t "$work/many.pcapng" 2>/dev/null | cut -d ' ' -f 2 | sort)"
    verdict "... which tshark reads" "$([ -n "$(theirs "$work/many.pcapng")" ] || cat "$work/said")"
else
    skip "a megabyte of secrets inside the capture" "this editcap puts none in"
fi
finish
