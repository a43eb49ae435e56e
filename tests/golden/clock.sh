#!/bin/bash
# Samples whose clock leaps, or whose spans have clocks of their own: what failed stays the same, the
# leap is a row of health, and every packet has one fate.
# needs: sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh
captures=${EW_CAPTURES:-../shared/captures}

# "verdict src dst" of each failure, without times.
failures() { # DB
    ask "$1" "SELECT verdict, src_addr, src_port, dst_addr, dst_port FROM failures WHERE severity = 'failure' ORDER BY 1, 2, 3, 4, 5"
}
events() { # DB
    ask "$1" "SELECT event FROM health WHERE event IS NOT NULL"
}
fates() { # DB
    ask "$1" "SELECT count(*) FROM (SELECT sum(packets) AS p, sum(handled + duplicates + fragments
        + not_ip + decode_errors) AS f FROM health GROUP BY interface) WHERE p <> f"
}

for name in verdict-refused verdict-timeout verdict-half-open verdict-unreachable finding-silent-drop; do
    file=pcaps/$name.pcap
    rm -f "$work"/*.db*
    read_into "$work/plain.db" "$file"
    plain=$(failures "$work/plain.db")
    for step in 10800 -10800; do
        editcap -F pcap -t $step "$file" "$work/shifted.pcap"
        mergecap -a -F pcap -w "$work/twice.pcap" "$file" "$work/shifted.pcap"
        rm -f "$work"/twice.db*
        read_into "$work/twice.db" "$work/twice.pcap"
        same "$name and again, $step s away: the same failures twice" "$(sort <<<"$plain"$'\n'"$plain")" \
            "$(failures "$work/twice.db" | sort)"
        same "$name and again, $step s away: the leap is told" 1 \
            "$(events "$work/twice.db" | grep -cE "^leaps $([ "$step" -gt 0 ] && echo ahead || echo back) by ")"
        same "$name and again, $step s away: one fate each" 0 "$(fates "$work/twice.db")"
    done
done

# The two spans of an incident, stamped by clocks 200 ms apart: one failure still.
rm -f "$work"/*.db*
read_into "$work/plain.db" pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap
for apart in 0.2 -0.2; do
    editcap -F pcap -t $apart pcaps/incident1-external.pcap "$work/apart.pcap"
    rm -f "$work"/apart.db*
    read_into "$work/apart.db" pcaps/incident1-sip-internal.pcap "$work/apart.pcap"
    same "spans $apart s apart give the same failure" "$(rows "$work/plain.db")" "$(rows "$work/apart.db")"
    same "spans $apart s apart leap nowhere" "" "$(events "$work/apart.db")"
done

# In the middle of a handshake: what is pending is no silence.
tshark -r pcaps/verdict-connected.pcap -F pcap -w "$work/a.pcap" -Y 'frame.number <= 6' 2>/dev/null
tshark -r pcaps/verdict-connected.pcap -F pcap -w "$work/b.pcap" -Y 'frame.number > 6' 2>/dev/null
editcap -F pcap -t 10800 "$work/b.pcap" "$work/c.pcap"
mergecap -a -F pcap -w "$work/leap.pcap" "$work/a.pcap" "$work/c.pcap"
read_into "$work/leap.db" "$work/leap.pcap"
same "a clock set ahead in a good connection makes no silence" 0 \
    "$(ask "$work/leap.db" "SELECT count(*) FROM failures WHERE verdict IN ('timeout', 'single-syn')")"

# Every stage's counter: packets received = the sum of every fate, on all captures there are.
for file in pcaps/*.pcap "$captures"/*.pcap "$captures"/*.pcapng; do
    [ -e "$file" ] || continue
    rm -f "$work"/fate.db*
    read_into "$work/fate.db" "$file"
    [ -s "$work/fate.db" ] || continue
    same "$(basename "$file"): packets are the sum of their fates" 0 "$(fates "$work/fate.db")"
done
[ -d "$captures" ] || skip "real captures" "no $captures"
finish
