#!/bin/bash
# A real Kamailio sends copies of its calls (sipp) in HEP, version 3 and 2 over UDP and 3 over TCP, into a
# monitor that sees nothing else: every call is listed as sipp counts them, from the feed's agent. Then
# garbage and a flood: counted, bounded, and the monitor goes on.
# needs: iproute2 nftables python3 sqlite3 tshark sip-tester kamailio
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need hep kamailio sipp
make_work
add_ns sensor # its loopback is all that is needed
cd "$work" || exit 1
calls=10

proxy() { # VERSION COLLECTOR-URI PORT: Kamailio in front of the far end
    sed "s/PROXY/127.0.0.1:$3/; s/COLLECTOR/\"$2\"/; s/VERSION/$1/
        s/FARENDURI/\"sip:127.0.0.1:5070\"/" "$here/kamailio-siptrace.cfg" >"proxy-$3.cfg"
    start sensor "proxy-$3" kamailio -f "proxy-$3.cfg" -DD -E -m 32 -M 8 -w "$work" -Y "$work"
}

udp_listens() {
    in_ns sensor ss -Hln -u "sport = :$1" | grep -q .
}

start sensor monitor "$edgewatch" --config /dev/null --db "$db" monitor --hep 9060 --sensor lab
monitor=$last
wait_for 10 "the monitor to listen" listening
same "it says where it listens" "hep:127.0.0.1:9060" \
    "$(sed -n 's/^edgewatch: listening on \([^,]*\),.*/\1/p' monitor.log)"

start sensor far env TERM=dumb sipp -sf "$here/sipp/farend.xml" -t u1 -i 127.0.0.1 -p 5070 -nostdin
proxy 3 "sip:127.0.0.1:9060" 5061
proxy 2 "sip:127.0.0.1:9060" 5062
proxy 3 "sip:127.0.0.1:9060;transport=tcp" 5063
for port in 5061 5062 5063 5070; do
    wait_for 15 "port $port" udp_listens $port
done

{ echo SEQUENTIAL; seq 52000 2 52100 | sed 's/$/;/'; } >ports.csv
for port in 5061 5062 5063; do
    for kind in answered rejected; do
        name=$kind-$port
        in_ns sensor env TERM=dumb timeout 20 sipp -sf "$here/sipp/$kind.xml" -inf ports.csv -t u1 \
            -i 127.0.0.1 -p $((port + 1000)) -m $calls -r 20 -cid_str "$name-%u@%s" -nostdin \
            -trace_logs -log_file "$name.calls" 127.0.0.1:$port >"$name.log" 2>&1
        same "sipp made $calls calls: $name" 0 $?
    done
done

# garbage over both transports, then ten thousand messages at once
in_ns sensor /usr/bin/python3 - >garbage.log <<'PY'
import socket
for text in (b"GET / HTTP/1.1\r\n\r\n", b"HEP3\x00\x01", b"\x16\x03\x01\x02\x00"):
    s = socket.create_connection(("127.0.0.1", 9060))
    s.sendall(text)
    s.settimeout(5)
    try:
        print(len(s.recv(1)))
    except ConnectionError:
        print(0)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("127.0.0.1", 9060))
for i in range(7):
    u.send(b"HEP3 but not really")
for i in range(10000):
    u.send(b"HEP3\x00\x06")
PY
sleep 1
kill -TERM $monitor
wait $monitor
same "SIGTERM ends the monitor with exit code 0" 0 $?
cd - >/dev/null || exit 1

for name in {answered,rejected}-{5061,5062,5063}; do
    same "calls are listed with sipp's status, from the agent: $name" \
        "$(sort "$work/$name.calls" | sed 's/\([0-9]*\)$/203.0.113.40:\1 hep:127.0.0.1#2001/')" \
        "$(ask "SELECT call_id, status, offer_relay, origin FROM calls WHERE call_id LIKE '$name-%' ORDER BY 1")"
done
same "no call is listed twice, none is invented" $((6 * calls)) "$(ask "SELECT count(*) FROM calls")"
same "who called whom" "sip:user1@contoso.com sip:answered@fabrikam.com $((3 * calls))" \
    "$(ask "SELECT caller, callee, count(*) FROM calls WHERE status = 200 GROUP BY 1, 2")"
same "calls have times of start and answer in order, of today" $((3 * calls)) \
    "$(ask "SELECT count(*) FROM calls WHERE status = 200 AND started < answered AND answered < ended
        AND started > strftime('%Y-%m-%dT%H:%M:%S', 'now', '-10 minutes')")"
same "one row in logs, with its calls and a clock that is right" "hep hep:127.0.0.1#2001 $((6 * calls)) 1" \
    "$(ask "SELECT kind, file, calls, skew_high_s BETWEEN 0 AND 1 FROM logs WHERE file LIKE '%#2001'")"
same "garbage is counted: 3 connections and 7 datagrams" 10 \
    "$(ask "SELECT sum(decode_errors) FROM health WHERE interface = 'hep:127.0.0.1:9060'")"
same "the flood is counted, whatever became of it" 1 "$(ask "SELECT sum(packets) + sum(kernel_drops) -
    (SELECT messages FROM logs WHERE file LIKE '%#2001') - 10 BETWEEN 10000 AND 10000 FROM health
    WHERE interface = 'hep:127.0.0.1:9060'")"
same "nothing is called a failure" 0 "$(ask "SELECT count(*) FROM failures WHERE severity = 'failure'")"

# ---- the copies join packets ----

# The packets of incident 1, whose signaling nobody can read, on two span ports; its signaling as HEP of an
# agent whose clock stands in 2012.
db=$work/db/joined.db
for pid in $(in_ns sensor pgrep -x kamailio); do
    [ "$(ip netns identify "$pid")" = "$lab-sensor" ] && kill -KILL "$pid"
done
add_ns edge
for port in inside outside; do
    span_port edge $port
    ip -n "$lab-edge" link set span-$port mtu 9000
    ip -n "$lab-sensor" link set $port mtu 9000
done
start_monitor --hep 9060
cat >"$work/copies.py" <<'PY'
import socket, struct, sys, time
data = open(sys.argv[1], "rb").read()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.connect(("127.0.0.1", 9060))
at, began, first = 24, time.time(), None
while at < len(data):
    seconds, micros, size, _ = struct.unpack("<IIII", data[at:at + 16])
    when = seconds + micros / 1e6
    first = first or when
    # the story's packets begin 190 ms before its signaling
    time.sleep(max(0, began + 0.19 + when - first - time.time()))
    u.send(data[at + 16 + 14 + 20 + 8:at + 16 + size])
    at += 16 + size
PY
start sensor copies /usr/bin/python3 "$work/copies.py" pcaps/incident1-hep.pcap
copies=$last
echo "pcaps/incident1-internal.pcap pcaps/incident1-external.pcap" |
    in_ns edge /usr/bin/python3 "$here/replay.py" 45 "$work" span-inside span-outside >"$work/replay.log"
wait_for 15 "the copies to be sent" ended "$copies"
stop_monitor
same "the failure is graded A, with the call and its users" \
    "relay-peer refused failure A confirmed a622d7b9f6464be3a455e6d98ec700b3 sip:user1@contoso.com sip:user2@fabrikam.com" \
    "$(ask "SELECT leg, verdict, severity, grade, confidence, call_id, caller, callee FROM failures")"
same "the agent's clock is known to be years behind" 1 \
    "$(ask "SELECT skew_high_s > 300000000 FROM logs WHERE kind = 'hep'")"
same "the call is dated by our clock" 1 "$(ask "SELECT count(*) FROM calls
    WHERE started > strftime('%Y-%m-%dT%H:%M:%S', 'now', '-2 minutes') AND origin = 'hep:127.0.0.1#2001'")"
finish
