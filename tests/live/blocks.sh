#!/bin/bash
# Real connections from an Edge's relay ports to a peer, with what a firewall on the way does to them,
# and edgewatch on the span ports of the Edge: every failure that was made is found with its verdict,
# and no other. Half of them were asked for by clients over MS-TURN (grade B), half came from nowhere
# (grade C, an Edge that is configured).
# usage: blocks.sh [TIMES]      each kind of connection so often; 40 make more than 1,000 (make blocks)
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need blocks
make_work
make_lab
times=${1:-1}
# else the firewall says "prohibited" once a second
in_ns firewall sysctl -qw net.ipv4.icmp_ratelimit=0
in_ns firewall sysctl -qw net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=1000 2>/dev/null
stranger=10.77.0.3
address client net $stranger/24

# Port of the peer, what befalls a connection to it, what the kernel under the Edge says of it (once
# without a client, once with one), and the failure that edgewatch has to list, - = none.
cases='
50701 answers          connected          -
50702 closed           econnrefused       refused
50703 reset-by-rule    econnrefused       refused
50704 dropped          timeout            timeout
50705 prohibited       ehostunreach       unreachable
50706 answer-is-lost   timeout            half-open
50707 reset-when-open  reset              reset-after-open
50708 second-try-works connected          -
50709 hasty            timeout            single-syn
50710 silent           opened-silent      open-no-check
50711 closed-when-open closed             reset-after-open
50712 no-route         ehostunreach       unreachable
'
counted=50713 # more than one connection at a time is refused: who is, only the kernel knows
ports=$(awk '{ print $1 }' <<<"$cases")

firewall_rules firewall <<NFT
table inet filter {
    chain forward {
        type filter hook forward priority 0;
        tcp dport 50703 reject with tcp reset
        tcp dport { 50704, 50709 } drop
        tcp dport 50705 ip protocol tcp reject with icmp admin-prohibited
        tcp dport 50705 reject with icmpv6 admin-prohibited
        tcp dport 50712 reject with icmp host-unreachable
        tcp dport 50713 tcp flags syn / syn,ack ct count over 1 reject with tcp reset
        tcp dport 50708 tcp flags syn / syn,ack meter once { ip saddr . tcp sport limit rate 1/day burst 1 packets } reject with tcp reset
    }
}
NFT
firewall_rules edge <<NFT
table inet filter {
    chain input {
        type filter hook input priority 0;
        tcp sport 50706 drop
    }
}
NFT

start_monitor --edge $edge_outside --edge $edge_outside6
mirror_edge
start edge edge /usr/bin/python3 "$here/edge.py" serve $edge_inside $edge_outside $edge_public
start peer peer /usr/bin/python3 "$here/peer.py" $peer answer:50701 answer:50706 reset:50707 \
    answer:50708 silent:50710 close:50711 answer:$counted
start peer peer6 /usr/bin/python3 "$here/peer.py" $peer6 answer:50701
for name in edge peer peer6; do
    wait_for 10 "$name" said $name '^ready'
done

# ---- what happens ----

running=()
sport=54000 # of connections without a client
for ((i = 0; i < times; i++)); do
    # shellcheck disable=SC2046,SC2086 # an argument for each
    start client client-$i /usr/bin/python3 "$here/client.py" $client $edge_inside 8 \
        $(for port in $ports $counted; do echo user$port:$peer:$port; done)
    running+=("$last")
    # shellcheck disable=SC2046
    start edge alone-$i /usr/bin/python3 "$here/edge.py" connect $edge_outside $peer \
        $(for port in $ports $counted; do echo $((sport++)):$port; done)
    running+=("$last")
    sport=$((sport + 13))
    [ "$times" = 1 ] || sleep 0.4
done
start client stranger /usr/bin/python3 "$here/client.py" $stranger $edge_inside 8 stranger:$peer:50799
start edge alone6 /usr/bin/python3 "$here/edge.py" connect $edge_outside6 $peer6 \
    51301:50701 51302:50702 51305:50705
alone6=$last
# none of our business: a client that finds no web server
in_ns client bash -c "echo >/dev/tcp/$edge_inside/80" 2>/dev/null
# the far end tries relay ports that nobody holds
in_ns peer bash -c "for port in 55001 55002; do echo >/dev/tcp/$edge_public/\$port; done" 2>/dev/null
for pid in "${running[@]}" $alone6; do
    wait_for $((30 + times)) "all connections to be tried" ended "$pid"
done

often() { # NUMBER, lines on stdin
    awk -v n="$1" 'NF { for (i = 0; i < n; i++) print }' | sort
}
outcomes() { # of all connections: RELAY-PORT PEER-PORT OUTCOME
    cat "$work/edge.log" "$work"/alone-*.log | awk 'NF == 3'
}
same "the kernel saw each connection end as planned" \
    "$(awk 'NF { print $1, $3 }' <<<"$cases" | often $((2 * times)))" \
    "$(outcomes | awk -v but=$counted '$2 != but { print $2, $3 }' | sort)"
refused=$(outcomes | awk -v port=$counted '$2 == port && $3 == "econnrefused" { print $1 }' | sort)
verdict "some of those that are counted were refused, some were not" \
    "$(n=$(wc -w <<<"$refused") && [ "$n" -ge 1 ] && [ "$n" -lt $((2 * times)) ] || echo "$n of $((2 * times))")"
echo "# $(outcomes | wc -l) connections of relay ports, $(outcomes | awk '$3 != "connected"' | wc -l) of them without success"

# ---- what edgewatch makes of it ----

verdicts() { # WHERE: PORT VERDICT SEVERITY of failures with the peer
    ask "SELECT dst_port, verdict, severity FROM failures WHERE dst_port <> $counted AND $1 ORDER BY dst_port"
}
expected=$(awk '$4 != "-" && NF { print $1, $4, "failure" }' <<<"$cases" | often "$times")

# 25 s after its last SYN a connection without an answer is a timeout, live as in a file
decided() { # VERDICT
    [ "$(ask "SELECT count(*) FROM failures WHERE verdict = '$1'")" = $((2 * times)) ]
}
wait_for 45 "timeouts to be told while it listens" decided timeout
unmirror_edge
stop_monitor

same "grade B: what clients asked for and did not get" "$expected" \
    "$(verdicts "leg = 'relay-peer' AND grade = 'B' AND confidence = 'confirmed'")"
same "grade C: what an Edge tried in vain" "$expected" \
    "$(verdicts "leg = 'relay-peer' AND grade = 'C' AND src_addr = '$edge_outside'")"
same "IPv6: refused and prohibited, and the one that works" $'50702 refused failure\n50705 unreachable failure' \
    "$(verdicts "src_addr = '$edge_outside6'")"
same "an allocation that is denied" "client-relay alloc-fail failure $stranger $edge_inside 443" \
    "$(ask "SELECT leg, verdict, severity, src_addr, dst_addr, dst_port FROM failures WHERE leg = 'client-relay'")"
same "an Edge that is configured and refuses" $'55001 refused failure\n55002 refused failure' \
    "$(verdicts "src_addr = '$peer' AND grade = 'C'")"
same "who was one too many at a time" "$refused" \
    "$(ask "SELECT src_port FROM failures WHERE dst_port = $counted AND verdict = 'refused' AND severity = 'failure' ORDER BY 1")"
same "nothing else is in the list" "$((2 * $(wc -l <<<"$expected") + $(wc -w <<<"$refused") + 5))" \
    "$(ask "SELECT count(*) FROM failures")"
same "what the router said, and who it is" \
    "$({ printf '%s\n' "50705 3 13 $firewall" "50712 3 1 $firewall" | often $((2 * times)) && echo "50705 1 1 $firewall6"; } | sort)" \
    "$(ask "SELECT dst_port, icmp_type, icmp_code, icmp_from FROM failures WHERE icmp_from IS NOT NULL" | sort)"
same "what is plain has its name" $'50704 silent-drop\n50705 admin-prohibited' \
    "$(ask "SELECT DISTINCT dst_port, finding FROM failures WHERE dst_port IN (50704, 50705) ORDER BY 1")"

# the relay port of each client, from the client's own mouth
same "every failed pair has its client and its relay address" \
    "$(awk -v refused="$(tr '\n' ' ' <<<"$refused")" -v counted=$counted 'NR == FNR { if ($4 != "-" && NF) failed[$1]; next }
        { relay = $3; sub(".*:", "", relay) } $1 in failed || ($1 == counted && index(" " refused, " " relay " ")) { print $1, $2, $3 }' \
        <(echo "$cases") <(cat "$work"/client-*.log) | sort)" \
    "$(ask "SELECT dst_port, client_port, ifnull(src_public, src_addr) || ':' || src_port FROM failures
        WHERE grade = 'B' AND leg = 'relay-peer'" | sort)"
same "the NAT is learned" "$edge_outside $edge_public learned" \
    "$(ask "SELECT private_addr, public_addr, origin FROM aliases")"
same "allocations: one for each client" \
    "$(cat "$work"/client-*.log "$work/stranger.log" | awk '{ print $2, $3 }' | sort)" \
    "$(ask "SELECT client_port, ifnull(relay_addr || ':' || relay_port, '-') FROM allocations" | sort)"
same "connections that work are attempts, those of clients and of none" \
    "$({ printf '50701 connected\n50708 connected\n' | often $((2 * times)) && echo 50701 connected; } | sort)" \
    "$(ask "SELECT dst_port, verdict FROM attempts WHERE verdict = 'connected' AND dst_port <> $counted AND src_addr IN
        ('$edge_outside', '$edge_outside6') ORDER BY 1")"
compare_with_read --edge $edge_outside --edge $edge_outside6
finish
