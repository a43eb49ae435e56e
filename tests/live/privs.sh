#!/bin/bash
# The monitor as a guest of its machine: root is given up before packets are looked at, what can't be
# opened is named with the exit code of the contract, and neither a flood nor an interface that goes
# away costs rows or leaves losses uncounted.
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need privs setpriv
make_work
add_ns edge
add_ns sensor
span_port edge inside
span_port edge outside
cp "$edgewatch" "$work/edgewatch" # where anybody may run it
edgewatch=$work/edgewatch

monitor() { # OPTION...
    in_ns sensor timeout 20 "$edgewatch" --config /dev/null --db "$db" monitor "$@"
}

# Frames into a span port: UDP datagrams to the discard port.
flood() { # NAME COUNT
    in_ns edge /usr/bin/python3 -c '
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
frame = bytes.fromhex("020000000002 020000000001 0800 4500007800000000401100000a4d00020a4d0001 c000000900640000")
for _ in range(int(sys.argv[2])):
    s.send(frame.ljust(134, b"x"))' "span-$1" "$2"
}

# ---- what can't be opened ----

# The command ends with the code and says the words.
exits() { # NAME CODE WORDS COMMAND...
    local name=$1 code=$2 words=$3 said status
    shift 3
    said=$("$@" 2>&1 </dev/null)
    status=$?
    if [ $status != "$code" ]; then
        not_ok "$name" "exit $status, not $code: $said"
    elif ! grep -qE -- "$words" <<<"$said"; then
        not_ok "$name" "does not say /$words/: $said"
    else
        ok "$name"
    fi
}
exits "an interface that does not exist" 69 'nosuch0' monitor -i nosuch0
exits "one of two interfaces does not exist" 69 'nosuch0' monitor -i inside -i nosuch0
ip -n "$lab-sensor" link set outside down
exits "an interface that is down" 69 'outside' monitor -i outside
ip -n "$lab-sensor" link set outside up
exits "no right to capture" 77 'inside.*permi' in_ns sensor setpriv --reuid=65534 --regid=65534 \
    --clear-groups timeout 20 "$edgewatch" --config /dev/null --db "$db" monitor -i inside
exits "an account that does not exist" 77 'nosuchuser' monitor -i inside --user nosuchuser
exits "root as the account to run as" 77 'root' monitor -i inside --user root
install -d -m 700 "$work/mine"
db=$work/mine/live.db
exits "a folder where the account may not write" 74 "$work/mine.*nobody|$work/mine.*writable" monitor -i inside
verdict "nothing is left there" "$(ls -A "$work/mine")"
db=$work/none/live.db
exits "a folder that does not exist" 74 "$work/none" monitor -i inside
db=$work/db/live.db
exits "a filter that is none" 64 'filter' monitor -i inside --filter 'prot tcp'

# ---- rights, and silence ----

start_monitor
flood inside 200
seen() {
    [ "$(ask 'SELECT count(*) FROM runs')" = 1 ]
}
wait_for 10 "the run to be noted" seen
verdict "no thread has root or a capability, or can get it" "$(for task in /proc/"$monitor"/task/*; do
    awk -v task="${task##*/}" '
        /^(Uid|Gid):/ { for (i = 2; i <= 5; i++) if ($i == 0) print task, $0 }
        /^Groups:/ { for (i = 2; i <= NF; i++) if ($i == 0) print task, $0 }
        /^Cap(Inh|Prm|Eff|Amb):/ && $2 !~ /^0+$/ { print task, $0 }
        /^NoNewPrivs:/ && $2 != 1 { print task, $0 }
        /^(Uid|CapEff|NoNewPrivs):/ { seen++ }
        END { if (seen != 3) print task, "has no such lines" }' "$task/status"
done)"
verdict "there are threads for capture and for the database" \
    "$(tasks=(/proc/"$monitor"/task/*) && [ ${#tasks[@]} -ge 4 ] || echo "${#tasks[@]} threads")"
verdict "the database is the account's" "$(find "$work/db" -name 'live.db*' -user root)"
flood inside 200
stop_monitor
same "the packets were looked at" 400 "$(ask "SELECT sum(packets) FROM health WHERE interface = 'inside'")"
silent_from=$SECONDS
db=$work/db/silent.db
start sensor silent "$edgewatch" --config /dev/null --db "$db" monitor -i outside
wait_for 10 "the monitor to listen" said silent '^edgewatch: listening on '
kill -INT "$last"
wait "$last"
same "SIGINT ends it on a silent interface" "0, 1 run" "$?, $(ask 'SELECT count(*) FROM runs') run"
verdict "... at once" "$([ $((SECONDS - silent_from)) -le 5 ] || echo "after $((SECONDS - silent_from)) s")"

# ---- losses ----

db=$work/db/flood.db
before=$(frames_at inside)
start sensor flooded "$edgewatch" --config /dev/null --db "$db" monitor -i inside --ring-mb 1
wait_for 10 "the monitor to listen" said flooded '^edgewatch: listening on '
flood inside 100
kill -STOP "$last"
flood inside 20000
kill -CONT "$last"
flood inside 100
kill -TERM "$last"
wait "$last"
same "a flood beyond the ring: exit code 0" 0 $?
same "every frame is either seen or counted as lost" $(($(frames_at inside) - before)) \
    "$(ask "SELECT sum(packets) + sum(kernel_drops) + sum(ring_drops) FROM health WHERE interface = 'inside'")"
verdict "some were lost" "$([ "$(ask 'SELECT sum(kernel_drops) FROM health')" -gt 0 ] || echo "none is counted")"
verdict "... and it says so at the end" "$(grep -q 'lost .*[1-9]' "$work/flooded.log" || cat "$work/flooded.log")"

# ---- an interface that goes away ----

db=$work/db/down.db
start sensor down "$edgewatch" --config /dev/null --db "$db" monitor -i inside
wait_for 10 "the monitor to listen" said down '^edgewatch: listening on '
flood inside 50
ip -n "$lab-sensor" link set inside down
ip -n "$lab-sensor" link set inside up
flood inside 50
kill -TERM "$last"
wait "$last"
same "an interface that is down for a while: exit code and packets" "0, 100" \
    "$?, $(ask 'SELECT sum(packets) FROM health')"

db=$work/db/gone.db
start sensor gone "$edgewatch" --config /dev/null --db "$db" monitor -i outside
wait_for 10 "the monitor to listen" said gone '^edgewatch: listening on '
flood outside 50
wait_for 10 "the run to be noted" seen
ip -n "$lab-sensor" link del outside
wait_for 10 "the monitor to notice that the interface is gone" said gone 'outside'
verdict "an interface that is deleted: it goes on, and says so" \
    "$(ended "$last" && echo "it ended"; grep -E 'outside.*(gone|disappeared|vanished|away)' "$work/gone.log" >/dev/null || cat "$work/gone.log")"
kill -TERM "$last"
wait "$last"
same "... until it is told to end: exit code" 0 $?
same "... with all rows" 50 "$(ask "SELECT sum(packets) FROM health")"
finish
