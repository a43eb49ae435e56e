#!/bin/bash
# A real TURN server (coturn) and its client over UDP and TCP, with a wrong password, beyond a quota,
# and with TCP relays (RFC 6062) between clients; then TCP relays that have to reach a peer.
# edgewatch lists the allocations as clients and server tell them.
# needs: iproute2 nftables python3 sqlite3 tshark coturn
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need turn turnserver turnutils_uclient turnutils_peer
make_work
make_lab
forgetful=10.77.0.3 greedy=10.77.0.4
address client net $forgetful/24 $greedy/24
users=(udp tcp both greedy works refused)

start_monitor
mirror_edge
# shellcheck disable=SC2046 # an argument for each
start edge turn turnserver -n --listening-ip=$edge_inside --relay-ip=$edge_outside \
    --external-ip=$edge_public/$edge_outside --realm=lab --lt-cred-mech \
    $(printf -- '--user=%s:secret ' "${users[@]}") --user-quota=3 --min-port=50000 --max-port=59999 \
    --no-tls --no-dtls --no-cli --simple-log --log-file=stdout -v \
    --userdb="$work/turndb" --pidfile="$work/turn.pid"
server=$last
start peer echo turnutils_peer -L $peer -p 3480
start peer peer /usr/bin/python3 "$here/peer.py" $peer echo:3490
listens() { # NAMESPACE OPTION PORT
    in_ns "$1" ss -Hln "$2" "sport = :$3" | grep -q .
}
wait_for 10 "coturn (UDP)" listens edge -u 3478
wait_for 10 "coturn (TCP)" listens edge -t 3478
wait_for 10 "the peer (UDP)" listens peer -u 3480
wait_for 10 "the peer (TCP)" listens peer -t 3490

# ---- what happens ----

clients=()
turn_client() { # USER ADDRESS PASSWORD OPTION...
    local user=$1 own=$2 password=$3
    shift 3
    start client "$user" timeout 20 turnutils_uclient -v -L "$own" -u "$user" -w "$password" \
        -n 3 -l 100 -c "$@" $edge_inside
    clients+=("$last")
}
tcp_relay() { # USER PEER-PORT
    start client "$1" timeout 20 /usr/bin/python3 "$here/tcprelay.py" $client $edge_inside "$1" \
        secret $peer "$2"
    clients+=("$last")
}
turn_client udp $client secret -e $peer -r 3480 -m 1
turn_client tcp $client secret -e $peer -r 3480 -m 1 -t
turn_client both $client secret -m 1 -t -T -y
turn_client forgetful $forgetful wrong -e $peer -r 3480 -m 1
turn_client greedy $greedy secret -e $peer -r 3480 -m 5
tcp_relay works 3490
tcp_relay refused 3499
for pid in "${clients[@]}"; do
    wait_for 25 "turnutils_uclient to end" ended "$pid"
done
# An error within the last 3 s of a capture decides nothing, as the client may try again; how long the
# others above take is left to chance. One more packet, late enough:
sleep 4
in_ns client bash -c "echo late >/dev/udp/$edge_inside/9"
unmirror_edge
stop_monitor
kill -TERM "$server"

# ---- what edgewatch makes of it ----

# "CLIENT RELAY" of each allocation, as the client saw them. uclient may connect several times before
# it allocates in the same order; its first connection it names twice.
received() { # USER...
    local user
    for user; do
        sed -nE "s/^([0-9]+) ([0-9]+) [a-z0-9]+$/$client:\1 $edge_public:\2/p" "$work/$user.log"
        sed -nE 's/.*Connected from: (.*)/from \1/p; s/.*Received relay addr: (.*)/relay \1/p
            s/.* error 486 .*/denied/p' "$work/$user.log" | uniq |
            awk '$1 == "from" { from[++n] = $2; next } { ++i } $1 == "relay" { print from[i], $2 }'
    done | sort
}
granted() { # WHERE
    ask "SELECT client_addr || ':' || client_port, relay_addr || ':' || relay_port FROM allocations
        WHERE relay_addr IS NOT NULL AND $1" | sort
}
same "allocations over UDP" "$(received udp greedy)" "$(granted "transport = 'UDP'")"
same "allocations over TCP" "$(received tcp both works refused)" "$(granted "transport = 'TCP'")"
verdict "there are some of each" "$(for user in "${users[@]}"; do
    [ -n "$(received "$user")" ] || echo "$user has none"
done)"
same "coturn's relay ports are those" \
    "$(sed -n 's/.*Local relay addr: .*:\([0-9]*\)$/\1/p' "$work/turn.log" | sort)" \
    "$(ask "SELECT relay_port FROM allocations WHERE relay_port IS NOT NULL" | sort)"
same "clients are seen where they are" "" \
    "$(ask "SELECT * FROM allocations WHERE relay_addr IS NOT NULL AND
        (reflexive_addr <> client_addr OR reflexive_port <> client_port OR server_addr <> '$edge_inside' OR server_port <> 3478)")"
same "a first 401 is no error" 0 \
    "$(ask "SELECT count(*) FROM allocations WHERE relay_addr IS NOT NULL AND error_code IS NOT NULL")"
same "an allocation over TCP ends with its connection, if not before" "" \
    "$(ask "SELECT * FROM allocations WHERE transport = 'TCP' AND
        (end_reason NOT IN ('closed', 'released') OR ended <= started)")"
same "relay ports given back, as coturn counts them" "$(grep -c 'lifetime=0$' "$work/turn.log")" \
    "$(ask "SELECT count(*) FROM allocations WHERE end_reason = 'released' AND ended > started")"
same "a wrong password: error 401, and a failure of weight" "401 - client-relay alloc-fail failure UDP" \
    "$(ask "SELECT DISTINCT error_code, relay_addr, leg, verdict, severity, f.transport
        FROM allocations a JOIN failures f ON f.src_addr = a.client_addr AND f.src_port = a.client_port
        WHERE a.client_addr = '$forgetful'")"
same "its finding" relay-auth-failed "$(ask "SELECT DISTINCT finding FROM failures WHERE src_addr = '$forgetful'")"
same "no allocation but those, and the one that the wrong password asked for" $(($(grep -cE 'ALLOCATE processed, (success|error 486)' "$work/turn.log") + 1)) \
    "$(ask "SELECT count(*) FROM allocations")"
same "beyond the quota: error 486 as often as coturn said it" \
    "$(grep -c 'ALLOCATE processed, error 486' "$work/turn.log")" \
    "$(ask "SELECT count(*) FROM allocations WHERE error_code = 486")"
same "its finding and its weight: other ports were granted" "relay-quota info" \
    "$(ask "SELECT DISTINCT finding, severity FROM failures WHERE src_addr = '$greedy'")"
same "the TCP relays met what they should" $'echoed\n447' "$(awk '{ print $3 }' "$work/works.log" "$work/refused.log")"
same "a TCP relay that is refused" "relay-peer refused failure $edge_outside $peer 3499 B confirmed" \
    "$(ask "SELECT leg, verdict, severity, src_addr, dst_addr, dst_port, grade, confidence FROM failures
        WHERE leg = 'relay-peer'")"
same "a TCP relay that works" "connected" "$(ask "SELECT DISTINCT verdict FROM attempts WHERE dst_port = 3490")"
same "the NAT is learned" "$edge_outside $edge_public" "$(ask "SELECT private_addr, public_addr FROM aliases")"
same "nothing else is a failure of weight" 2 "$(ask "SELECT count(*) FROM failures WHERE severity = 'failure'")"
compare_with_read
finish
