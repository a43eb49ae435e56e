#!/bin/bash
# Load shedding loses no failure: every sample, real captures and generated traffic as the kernel
# would hand it over, cut and with relay media dropped, give the failures of the whole.
# needs: sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
shed=$PWD/build/release/golden/shed_cut
generate=$PWD/build/release/bench/generate
captures=${EW_CAPTURES:-../shared/captures}

plain() { # FILE: as a classic pcap, whose name is told
    if [ "${1##*.}" = pcapng ]; then
        editcap -F pcap "$1" "$work/plain.pcap" 2>/dev/null && echo "$work/plain.pcap"
    else
        echo "$1"
    fi
}

# The failures of FILES shed in one way; what was shed goes to $work/counts.
compare() { # NAME OPTIONS FILE...
    local name=$1 options=$2 file i=0 made=()
    shift 2
    for file; do
        i=$((i + 1))
        # shellcheck disable=SC2086 # options are words
        $shed $options "$file" "$work/shed$i.pcap" >>"$work/counts" || return
        made+=("$work/shed$i.pcap")
    done
    rm -f "$work"/shed.db*
    # shellcheck disable=SC2086
    read_into "$work/shed.db" $args "${made[@]}"
    same "$name" "$(whole "$work/whole.db")" "$(whole "$work/shed.db")"
}

both_ways() { # NAME FILE...
    local name=$1 known
    shift
    rm -f "$work"/whole.db*
    # shellcheck disable=SC2086
    read_into "$work/whole.db" $args "$@"
    [ -s "$work/whole.db" ] || return
    # what the monitor would have learned: relays, and ports at which they listen
    known="$usual $(ask "$work/whole.db" "SELECT DISTINCT '-p ' || server_port FROM allocations WHERE relay_addr IS NOT NULL
        UNION SELECT DISTINCT '-r ' || relay_addr FROM allocations WHERE relay_addr IS NOT NULL
        UNION SELECT DISTINCT '-r ' || private_addr FROM aliases" | tr '\n' ' ')"
    compare "$name: cut" "$known" "$@"
    compare "$name: cut and dropped" "-d $known" "$@"
}

args= usual=
for name in $(awk '$1 == "case" { print $2 }' pcaps/INDEX); do
    args=$(of_case "$name" args)
    # shellcheck disable=SC2046
    both_ways "$name" $(paths "$name")
done
args=
if [ -x "$generate" ] && "$generate" calls "$work/generated.pcap" --calls 200 >/dev/null 2>&1; then
    both_ways "generated calls" "$work/generated.pcap"
fi
if [ -d "$captures" ]; then
    for file in "$captures"/*.pcap "$captures"/*.pcapng; do
        made=$(plain "$file")
        # SIP over WebSocket at a port that nobody named: its first messages are cut until it is found
        case $file in *heplify__sip_tcp_websocket*) usual="-p 8088 -p $(tshark -r "$file" -Y websocket -T fields -e tcp.srcport -e tcp.dstport 2>/dev/null | tr '\t' '\n' | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')" ;; *) usual= ;; esac
        [ -n "$made" ] && both_ways "$(basename "$file")" "$made"
    done
else
    skip "real captures" "no $captures"
fi
same "some packets were whole, some cut, some dropped" "1 1 1" \
    "$(awk '{ w += $1; c += $2; d += $3 } END { print (w > 0), (c > 0), (d > 0) }' "$work/counts")"
awk '{ w += $1; c += $2; d += $3 } END { print "# whole " w ", cut " c ", dropped " d }' "$work/counts"
finish
