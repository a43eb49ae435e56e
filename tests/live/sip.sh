#!/bin/bash
# Real SIP (sipp) over UDP and TCP between a client and a front end, calls that are answered, rejected
# and given up, with candidates in their SDP; edgewatch on the span port lists them all as sipp counts
# them. Over UDP the INVITEs are larger than a frame and come in fragments.
# needs: iproute2 nftables python3 sqlite3 tshark sip-tester
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need sip sipp
make_work
make_lab
calls=20 # of each kind and transport

start_monitor
mirror_edge
cd "$work" || exit 1 # where sipp leaves its files

# ---- what happens ----

sipp_at() { # NAMESPACE NAME ARGUMENT...: without a terminal sipp takes commands from none
    local ns=$1 name=$2
    shift 2
    start "$ns" "$name" env TERM=dumb sipp "$@" -nostdin -trace_err -error_file "$name.errors"
}

# The relay port of each call's offer, a file for each run of sipp.
relay_ports() { # FIRST
    echo SEQUENTIAL
    seq "$1" 2 $(($1 + 2 * calls - 2)) | sed 's/$/;/'
}

# 6060 is no port of SIP: the bytes tell
sipp_at edge far-udp -sf "$here/sipp/farend.xml" -t u1 -i $edge_inside -p 5060
sipp_at edge far-tcp -sf "$here/sipp/farend.xml" -t t1 -i $edge_inside -p 6060
listens() { # OPTION PORT
    in_ns edge ss -Hln "$1" "sport = :$2" | grep -q .
}
wait_for 10 "the front end (UDP)" listens -u 5060
wait_for 10 "the front end (TCP)" listens -t 6060

first=52000
callers=()
for transport in udp tcp; do
    for kind in answered rejected cancelled; do
        name=$kind-$transport
        relay_ports $first >"$name.csv"
        far=$edge_inside:5060 how=u1
        [ $transport = tcp ] && far=$edge_inside:6060 how=t1
        sipp_at client "$name" -sf "$here/sipp/$kind.xml" -inf "$name.csv" -t $how -i $client \
            -p $((first - 40000)) -m $calls -r 10 -cid_str "$name-%u@%s" \
            -trace_logs -log_file "$name.log.calls" -trace_stat -stf "$name.stat" "$far"
        callers+=("$last")
        first=$((first + 2 * calls))
    done
done
for pid in "${callers[@]}"; do
    wait_for 15 "sipp to end" ended "$pid"
done

# The last line of sipp's statistics, the column of this name.
statistic() { # NAME COLUMN
    awk -F';' -v column="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) at = i }
        END { print $at }' "$1.stat"
}

for name in {answered,rejected,cancelled}-{udp,tcp}; do
    same "sipp made $calls calls: $name" "$calls 0" \
        "$(statistic "$name" 'SuccessfulCall(C)') $(statistic "$name" 'FailedCall(C)')"
done
unmirror_edge
stop_monitor
cd - >/dev/null || exit 1

# ---- what edgewatch makes of it ----

for name in {answered,rejected,cancelled}-{udp,tcp}; do
    same "calls are listed with sipp's status: $name" \
        "$(sort "$work/$name.log.calls" | sed "s/\([0-9]*\)\$/$edge_public:\1/")" \
        "$(ask "SELECT call_id, status, offer_relay FROM calls WHERE call_id LIKE '$name-%' ORDER BY call_id")"
done
same "no call is listed twice, none is invented" $((6 * calls)) "$(ask "SELECT count(*) FROM calls")"
same "who called whom about what" \
    "$(printf 'sip:user1@contoso.com sip:%s@fabrikam.com applicationsharing %d\n' \
        answered $((2 * calls)) cancelled $((2 * calls)) rejected $((2 * calls)))" \
    "$(ask "SELECT caller, callee, media, count(*) FROM calls GROUP BY 1, 2, 3 ORDER BY 2")"
same "answered calls have times of start, answer and end in order" $((2 * calls)) \
    "$(ask "SELECT count(*) FROM calls WHERE status = 200 AND started < answered AND answered < ended")"
same "other calls were never answered" $((4 * calls)) \
    "$(ask "SELECT count(*) FROM calls WHERE status <> 200 AND answered IS NULL AND ended IS NOT NULL")"
same "candidates of the offers" "$(printf '%s\n' "1 TCP-PASS host $client $((6 * calls))" \
    "1 TCP-PASS relay $edge_public $((6 * calls))" "1 TCP-ACT host $client $((6 * calls))" | sort)" \
    "$(ask "SELECT component, transport, type, addr, count(*) FROM candidates
        WHERE side = 'offer' AND component = 1 AND dialect <> 'default' GROUP BY 1, 2, 3, 4" | sort)"
same "each relay candidate has the port of its own call" "" \
    "$(ask "SELECT c.call_id, k.port FROM calls c JOIN candidates k ON k.call_id = c.call_id
        WHERE k.side = 'offer' AND k.type = 'relay' AND c.offer_relay <> k.addr || ':' || k.port")"
same "candidates of the answers" "$(printf '%s\n' "TCP-PASS host 10.26.10.50 50058 $((4 * calls))" \
    "TCP-PASS relay $peer 50704 $((4 * calls))")" \
    "$(ask "SELECT transport, type, addr, port, count(*) FROM candidates
        WHERE side = 'answer' AND dialect <> 'default' GROUP BY 1, 2, 3, 4 ORDER BY 2")"
same "nothing is called a failure" 0 "$(ask "SELECT count(*) FROM failures WHERE severity = 'failure'")"
same "no message was lost or damaged" "0 0" \
    "$(ask "SELECT sum(decode_errors), sum(stream_gaps) FROM health")"
verdict "INVITEs over UDP came in fragments" \
    "$([ "$(tshark -nr "$work/span.pcapng" -Y ip.flags.mf==1 2>/dev/null | wc -l)" -ge $((3 * calls)) ] || echo "not all")"
compare_with_read
finish
