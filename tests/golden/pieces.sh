#!/bin/bash
# A capture that was rotated in the middle of a call: each sample in two pieces, read as two runs in
# either order, gives the failures and calls of the whole.
# needs: tshark (and its editcap)
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
command -v editcap >/dev/null || {
    skip "captures in two pieces" "no editcap"
    exit 0
}

told() { # DB
    ask "$1" "SELECT leg, transport, verdict, severity, src_addr, src_port, dst_addr, dst_port, grade,
        confidence, call_id, caller, callee, medium, local_candidate, remote_candidate FROM failures
        ORDER BY 1, 2, 3, 4, 5, 6, 7, 8;
        SELECT call_id, caller, callee, status, outcome, media, offer_relay, answer_relay, grade FROM calls ORDER BY 1;
        SELECT call_id, side, count(*) FROM candidates GROUP BY 1, 2 ORDER BY 1, 2;
        SELECT call_id, header, code FROM diagnostics ORDER BY 1, 2, 3"
}

# Cut between the answer and the first try, and before the end of the call: handshakes stay in one piece.
for case in verdict-refused verdict-timeout verdict-single-syn verdict-unreachable finding-no-relay-on-peer \
    finding-conflict-allocation finding-conflict-with-endpoint incident1-sip; do
    mapfile -t files < <(paths "$case")
    file=${files[0]}
    rm -f "$work"/*.db
    read_into "$work/whole.db" "${files[@]}" || not_ok "$case: read" "$(head -n 1 "$work/said")"
    whole=$(told "$work/whole.db")
    bad=
    packets=$(tshark -r "$file" -T fields -e frame.number 2>/dev/null | tail -n 1)
    cuts=0
    for at in $(tshark -r "$file" -Y 'sip.Method == "INVITE" || sip.Status-Code == 200 || sip.Method == "BYE"' \
        -T fields -e frame.number 2>/dev/null); do
        [ "$at" -lt "$packets" ] || continue
        cuts=$((cuts + 1))
        editcap -r -F pcap "$file" "$work/one.pcap" "1-$at" >/dev/null
        editcap -r -F pcap "$file" "$work/two.pcap" "$((at + 1))-$packets" >/dev/null
        for order in "one two" "two one"; do
            rm -f "$work/parts.db"*
            for part in $order; do
                read_into "$work/parts.db" "$work/$part.pcap" "${files[@]:1}" ||
                    bad+="cut after $at, $order: $(head -n 1 "$work/said")"$'\n'
            done
            [ "$(told "$work/parts.db")" = "$whole" ] ||
                bad+="cut after packet $at, $order: $(diff <(echo "$whole") <(told "$work/parts.db") | grep '^[<>]' | head -n 4)"$'\n'
        done
    done
    [ $cuts -ge 3 ] || bad+="only $cuts cuts"
    verdict "$case: in two pieces" "$bad"
done
finish
