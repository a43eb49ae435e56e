#!/bin/bash
# doctor on captures: what it says of samples whose content is known (pcaps/INDEX) and of real
# captures, counted by tshark; exit codes; nothing left behind. On interfaces: tests/live/interfaces.sh
# needs: sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
captures=${EW_CAPTURES:-../shared/captures}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset EDGEWATCH_DB EDGEWATCH_CONFIG
export TMPDIR=$work

look() { # FILE...: leaves $code and the JSON in $work/out
    timeout 60 "$edgewatch" --config /dev/null --db "$work/none.db" doctor --format json "$@" \
        >"$work/out" 2>"$work/err" </dev/null
    code=$?
}

# "judgement fact" of each line of a check
told() { # CHECK
    sqlite3 -separator ' ' :memory: "SELECT value ->> 'judgement', value ->> 'fact'
        FROM json_each(readfile('$work/out'), '\$.checks') WHERE value ->> 'check' = '$1'"
}

has() { # NAME CHECK PATTERN
    if told "$2" | grep -qE -- "$3"; then
        ok "$1"
    else
        not_ok "$1" "no line '$3' in: $(told "$2" | tr '\n' '|')"
    fi
}

look pcaps/incident1-internal.pcap pcaps/incident1-external.pcap
same "two good sides: usable" "0 1" "$code $(sqlite3 :memory: "SELECT readfile('$work/out') ->> '\$.usable'")"
has "both sides of the Edge" 'edge sides' '^ok both: .* 1 of 1 relays'
has "the relay announced itself" relay '^ok 2\.2\.2\.2, on the wire 10\.3\.0\.40, 1 port given out, 6 packets'
has "the alias was learned" alias '^ok 10\.3\.0\.40 = 2\.2\.2\.2, learned from 1 port$'

look pcaps/incident1-internal.pcap
has "one side alone is seen to be one" 'edge sides' '^look .*ports towards peers were not'

look pcaps/incident1-sip-internal.pcap
has "signaling is readable" signaling '^ok readable: 6 SIP messages, 1 call, 8 candidates'

look pcaps/negative-one-way.pcap
same "one direction only: not usable" 69 "$code"
has "one direction only: why" directions '^bad 2 of 15 '

look pcaps/incident1-external.pcap pcaps/incident1-external.pcap
has "copies are counted" duplicates '^look 50 %'

editcap -s 60 pcaps/incident1-sip-internal.pcap "$work/cut.pcap"
look "$work/cut.pcap"
has "cut packets are told" 'snap length' '^look .* to 60 bytes'
has "cut packets: no message can be read" signaling '^look no readable'

editcap -t -7200 pcaps/incident1-external.pcap "$work/early.pcap"
mergecap -a -F pcap -w "$work/jump.pcap" pcaps/incident1-external.pcap "$work/early.pcap"
look "$work/jump.pcap"
has "a clock that was set back" time '^look .*back 1 times.*step -72'

printf 'no capture' >"$work/garbage"
look "$work/garbage"
same "garbage" 65 "$code"
look "$work/missing.pcap"
same "missing" 66 "$code"
look ew-none0
same "no such interface" 69 "$code"
look ew-none0 pcaps/incident1-external.pcap
same "interfaces and files mixed" 64 "$code"
head -c 300 pcaps/incident1-external.pcap >"$work/short.pcap"
look "$work/short.pcap"
same "damaged in the middle" 65 "$code"
has "what came before the damage is counted" packets '^ok [1-9]'
same "no database is made" "" "$(find "$work" -name '*.db*' -o -name 'edgewatch-doctor*')"
mkdir "$work/closed" && TMPDIR=$work/closed/nowhere look pcaps/incident1-external.pcap
same "nowhere to put temporary files" 73 "$code"
timeout 10 "$edgewatch" doctor pcaps/incident1-external.pcap >/dev/full 2>/dev/null
same "nowhere to write" 73 "$?"
"$edgewatch" --config /dev/null doctor pcaps/incident1-external.pcap 2>/dev/null | tail -n 1 >"$work/last"
same "text ends with a verdict" "usable, with remarks" "$(grep -o 'usable, with remarks' "$work/last")"

if [ ! -d "$captures" ]; then
    skip "real captures" "no $captures"
    finish
fi
look "$captures/tcpdump__ipv4_tcp_http_xml_tso.pcap"
has "merged frames" 'frame size' '^look 1 frames .*2030'
look "$captures/arkime__gre-erspan-vxlan.pcap"
has "tunnels" tunnels '^ok 100 %'

# TLS, one line for connections of which the same is to be said; ciphers as tshark names them
cipher=$(tshark -r "$captures/wireshark__rsasnakeoil2.pcap" -Y tls.handshake.type==2 -T fields \
    -e tls.handshake.ciphersuite 2>/dev/null | head -n 1)
same "tshark: the first server chose AES-256-CBC with RSA" 0x0035 "$cipher"
tls_line() { # OPTION...
    timeout 30 "$edgewatch" --config /dev/null --db "$work/none.db" doctor --format json --sip-port 443 "$@" \
        "$captures/wireshark__rsasnakeoil2.pcap" 2>"$work/err" |
        jq -r '.checks[] | select(.check == "tls" and (.fact | test("TLS_RSA_WITH_AES_256_CBC_SHA"))) |
            [.judgement, .fact, .advice // "-"] | join(" | ")'
}
if command -v jq >/dev/null; then
    same "TLS without a key: which key would open it" "look | 1 connection to 127.0.0.1:443, SSL 3.0, TLS_RSA_WITH_AES_256_CBC_SHA: no-key | Give the private key of www.snakeoil.dom (--tls-key): RSA key exchange, so that key opens it." \
        "$(tls_line)"
    same "TLS with its key: readable, and with which" "ok | 1 connection to 127.0.0.1:443, SSL 3.0, TLS_RSA_WITH_AES_256_CBC_SHA: decrypted with key wireshark__rsasnakeoil2.key | -" \
        "$(tls_line --tls-key "$captures/wireshark__rsasnakeoil2.key")"
else
    skip "doctor: TLS" "no jq"
fi

for file in "$captures"/*.pcap "$captures"/*.pcapng; do
    name=$(basename "$file")
    look "$file"
    case $code in
        0 | 69) ;;
        65) continue ;; # captures.sh knows them
        *)
            not_ok "$name" "exit code $code: $(head -n 1 "$work/err")"
            continue
            ;;
    esac
    same "$name: packets, by capinfos" "$(capinfos -Mc "$file" 2>/dev/null | awk '/^Number of packets/ { print $NF }')" \
        "$(told packets | grep -oE '^ok [0-9]+' | cut -d ' ' -f 2)"
done
finish
