#!/bin/bash
# What happens to interfaces while the monitor listens, without rights of any kind by then: down and
# up, no carrier, renamed, another MTU, unplugged and plugged in again. Each is a row of health and a
# line of the log, and what comes afterwards is seen again. An interface that refuses promiscuous mode
# is listened to all the same. And what doctor says of an interface.
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need interfaces
make_work
add_ns switch
add_ns sensor
plug() { # a cable between the switch's port and the sensor's interface, the sensor's end down
    in_ns sensor sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    in_ns switch sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    ip -n "$lab-switch" link add port type veth peer name "${1:-mon}" netns "$lab-sensor"
    ip -n "$lab-switch" link set port up arp off
}
plug
plug_up() {
    ip -n "$lab-sensor" link set "${1:-mon}" up arp off
}
plug_up

# Ten frames from the switch, of that UDP port: a number that can be counted again.
frames() { # PORT
    in_ns switch /usr/bin/python3 - "$1" <<-'PY'
		import socket, struct, sys
		s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		s.bind(("port", 0))
		for i in range(10):
		    udp = struct.pack("!HHHH", 1000 + i, int(sys.argv[1]), 12, 0) + b"data"
		    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), i + 1, 0, 64, 17, 0,
		                     socket.inet_aton("192.0.2.1"), socket.inet_aton("192.0.2.2"))
		    s.send(b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + udp)
	PY
}

start sensor monitor "$edgewatch" --config /dev/null --db "$db" monitor -i mon --sensor lab
monitor=$last
listening() { said monitor '^edgewatch: listening on '; }
wait_for 10 "the monitor to listen" listening
told() { # WHAT PATTERN: in the log, then later in the database
    if wait_for 10 "'$2' in the log" said monitor "$2"; then
        ok "$1"
    fi
}
alive() { # WHAT: the monitor runs
    if ended "$monitor"; then not_ok "$1" "the monitor ended"; else ok "$1"; fi
}

frames 5001
ip -n "$lab-sensor" link set mon down
told "down is told" 'mon is down$'
sleep 1
alive "down: the monitor waits"
ip -n "$lab-sensor" link set mon up
told "up is told" 'mon is up again$'
frames 5002

ip -n "$lab-switch" link set port down
told "no carrier is told" 'mon has no carrier$'
ip -n "$lab-switch" link set port up
told "carrier is told" 'mon has carrier again$'
frames 5003

ip -n "$lab-sensor" link set mon mtu 9000
told "another MTU is told" 'mon MTU changed from 1500 to 9000$'
frames 5004

ip -n "$lab-sensor" link set mon down
ip -n "$lab-sensor" link set mon name mon9
ip -n "$lab-sensor" link set mon9 up
told "a new name is told" 'mon was renamed from mon to mon9$'
sleep 1.5
frames 5005
ip -n "$lab-sensor" link set mon9 down
ip -n "$lab-sensor" link set mon9 name mon
ip -n "$lab-sensor" link set mon up
told "the old name is told" 'mon was renamed from mon9 to mon$'
sleep 1.5

ip -n "$lab-sensor" link del mon
told "unplugged is told" 'mon is gone$'
sleep 2
alive "all interfaces gone: the monitor waits"
plug
plug_up
told "plugged in again is told" 'mon is back$'
same "promiscuous mode is on again" 1 \
    "$(ip -n "$lab-sensor" -d link show mon | grep -oE 'promiscuity [0-9]+' | cut -d ' ' -f 2)"
frames 5006
# twice, and under load of nothing: the new one goes as well
ip -n "$lab-sensor" link del mon
wait_for 10 "the second loss" eval '[ "$(grep -c "mon is gone$" "$work/monitor.log")" = 2 ]'
plug
plug_up
wait_for 10 "the second return" eval '[ "$(grep -c "mon is back$" "$work/monitor.log")" = 2 ]'
frames 5007
kill -TERM "$monitor"
wait "$monitor"
same "SIGTERM ends it with exit code 0" 0 $?
same "every frame of every phase was seen" 70 "$(ask "SELECT sum(handled) FROM health WHERE interface = 'mon'")"
same "every packet has one fate" 0 "$(ask "SELECT count(*) FROM (SELECT sum(packets) AS p,
    sum(handled + duplicates + fragments + not_ip + decode_errors) AS f FROM health) WHERE p <> f")"
same "each event is a row of health" \
    "$(grep -oE 'warning: mon .*' "$work/monitor.log" | sed 's/^warning: mon //' | sort | uniq -c)" \
    "$(ask "SELECT event FROM health WHERE event IS NOT NULL AND interface = 'mon'" | sort | uniq -c)"
same "the run has its end" 1 "$(ask 'SELECT count(*) FROM runs WHERE ended IS NOT NULL AND damaged IS NULL')"

# ---- doctor ----

look() { # OPTION...
    in_ns sensor timeout 30 "$edgewatch" --config /dev/null --db "$work/none.db" doctor --format json "$@" >"$work/out" 2>"$work/err"
    code=$?
}
says() { # CHECK
    sqlite3 -separator ' ' :memory: "SELECT value ->> 'judgement', value ->> 'fact'
        FROM json_each(readfile('$work/out'), '\$.checks') WHERE value ->> 'check' = '$1'"
}
(sleep 1; frames 5008) &
look --seconds 3 mon
wait $!
same "doctor: what came is counted" "ok mon lost no packet of 10" "$(says drops)"
same "doctor: promiscuous" "ok mon: may capture, promiscuous mode is on" "$(says rights)"
same "doctor: link" "ok mon is up, MTU 1500" "$(says link)"
look --seconds 1 mon
same "doctor: silence is of no use" "69 bad mon delivered nothing" "$code $(says packets)"
look --seconds 1 mon0
same "doctor: no such interface" 69 "$code"
start sensor doctor "$edgewatch" --config /dev/null --db "$work/none.db" doctor --seconds 60 mon
doctor=$last
wait_for 10 "the doctor to look" said doctor 'looking at mon'
sleep 1 # it says so before it looks
kill -INT "$doctor"
if wait_for 10 "the doctor to end" ended "$doctor"; then ok "doctor: a signal ends the look early"; fi
same "doctor: and it says what it saw" 1 "$(grep -c 'mon delivered nothing' "$work/doctor.log")"

for error in EPERM EOPNOTSUPP; do
    db=$work/db/$error.db
    start sensor monitor "$PWD/build/release/bench/refuse" $error "$edgewatch" --config /dev/null --db "$db" \
        monitor -i mon --sensor lab
    monitor=$last
    wait_for 10 "the monitor to listen" listening
    frames 5009
    sleep 1.2 # events are told once a second
    alive "$error: promiscuous mode is refused, the monitor goes on"
    kill -TERM "$monitor"
    wait "$monitor"
    same "$error: and ends well" 0 $?
    same "$error: told once in the log" 1 "$(grep -c 'mon refuses promiscuous mode: ' "$work/monitor.log")"
    same "$error: told once in health, packets are seen" "1 10" "$(ask "SELECT (SELECT count(*) FROM health
        WHERE interface = 'mon' AND event LIKE 'refuses promiscuous mode: %'), sum(packets) FROM health")"
done
look() { # as above
    in_ns sensor "$PWD/build/release/bench/refuse" EPERM "$edgewatch" --config /dev/null --db "$work/none.db" doctor "$@" --format json \
        >"$work/out" 2>"$work/doctor.log"
    code=$?
}
(sleep 1; frames 5010) &
look --seconds 2 mon
wait $!
same "doctor: promiscuous mode is refused" "look mon: may capture, but promiscuous mode is not on" "$(says rights)"
finish
