#!/bin/bash
# What a monitor tells while it runs: a journal entry and a command's run for each failure, as the database
# has them; figures over HTTP that agree with health; and a command that is stuck holds nothing up.
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need tell unshare
make_work
add_ns edge
add_ns sensor
for port in inside outside; do
    span_port edge $port
    ip -n "$lab-edge" link set span-$port mtu 9000
    ip -n "$lab-sensor" link set $port mtu 9000
done

# systemd's journal, as far as a sender sees it: a socket that takes fields line by line.
cat >"$work/journal.py" <<'PY'
import json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
os.chmod("/run/systemd/journal/socket", 0o777)
out = open(sys.argv[1], "w", buffering=1)
while True:
    entry = s.recv(1 << 20).decode()
    print(json.dumps(dict(line.split("=", 1) for line in entry.rstrip("\n").split("\n"))), file=out)
PY
cat >"$work/command.sh" <<SH
#!/bin/sh
cat >>"$work/db/told.jsonl"
printf '%s|' "\$@" >>"$work/db/arguments"
SH
chmod 755 "$work/command.sh"
cat >"$work/with-journal.sh" <<SH
mkdir -p /run/systemd/journal
mount -t tmpfs none /run/systemd/journal && chmod 755 /run/systemd/journal
/usr/bin/python3 "$work/journal.py" "$work/journal.jsonl" &
while [ ! -S /run/systemd/journal/socket ]; do sleep 0.1; done
exec "\$@"
SH
fetch() { # PATH
    in_ns sensor /usr/bin/python3 -c 'import sys, urllib.request
print(urllib.request.urlopen("http://127.0.0.1:9464" + sys.argv[1], timeout=5).read().decode(), end="")' "$1"
}

start sensor dumpcap true # stop_monitor waits for one
dumpcap=$last
JOURNAL_STREAM=8:1 start sensor monitor unshare -m sh "$work/with-journal.sh" "$edgewatch" --config /dev/null \
    --db "$db" monitor -i inside -i outside --sensor lab --metrics 9464 \
    --on-failure "$work/command.sh 'two words' \"a\\\"b\" c\\ d"
monitor=$last
wait_for 15 "the monitor to listen" listening

awk '$1 == "files" && NF < 4 { $1 = ""; gsub(/ +/, " pcaps/"); print }' pcaps/INDEX |
    in_ns edge /usr/bin/python3 "$here/replay.py" 20 "$work" span-inside span-outside >"$work/replay.log"
idle() { # the last packet's figures are there, and its failures had time to settle
    fetch /metrics >"$work/metrics" && [ "$(awk '/^edgewatch_packets_total/ { n += $2 } END { print n }' "$work/metrics")" \
        = "$(cut -d' ' -f3 "$work/replay.log")" ]
}
wait_for 15 "the figures of every packet" idle
sleep 7
fetch /metrics >"$work/metrics"
runs=$(wc -l <"$work/db/told.jsonl")
same "other addresses are not found" 404 "$(in_ns sensor /usr/bin/python3 -c 'import http.client
c = http.client.HTTPConnection("127.0.0.1", 9464, timeout=5); c.request("GET", "/"); print(c.getresponse().status)')"
kill -TERM $monitor
wait $monitor
same "SIGTERM ends the monitor with exit code 0" 0 $?

# ---- failures ----

ew failures --format jsonl >"$work/failures.jsonl"
cat >"$work/compare.py" <<'PY'
import json, sys
work, what = sys.argv[1:]
rows = {r["id"]: r for r in map(json.loads, open(work + "/failures.jsonl"))}
if what == "journal":
    got = [json.loads(line) for line in open(work + "/journal.jsonl")]
    seen = [int(e["EDGEWATCH_ID"]) for e in got]
    for e in got:
        row = rows.get(int(e["EDGEWATCH_ID"]), {})
        for key, value in row.items():
            told = e.get("EDGEWATCH_" + key.upper())
            if value is None and told is not None or value is not None and not isinstance(value, float) \
                    and key not in ("explanation", "advice") and told != str(value):
                print("failure", e["EDGEWATCH_ID"], key, "is", value, "and told as", told)
        if e["PRIORITY"] != "4" or len(e["MESSAGE_ID"]) != 32 or row.get("verdict", "?") not in e["MESSAGE"]:
            print("strange", e)
else:
    got = [json.loads(line) for line in open(work + "/db/told.jsonl")]
    seen = [r["id"] for r in got]
    for r in got:
        if rows.get(r["id"]) != r:
            print("failure", r["id"], "is", rows.get(r["id"]), "and told as", r)
if len(seen) != len(set(seen)):
    print("told twice:", sorted(seen))
if what == "journal":
    for i in sorted(set(rows) ^ set(seen)):
        print("failure", i, "is told" if i in seen else "is not told")
PY
verdict "every failure has its entry in the journal, with its columns as fields" \
    "$(/usr/bin/python3 "$work/compare.py" "$work" journal 2>&1)"
verdict "the command got rows of the view, each once" \
    "$(/usr/bin/python3 "$work/compare.py" "$work" command 2>&1)"
same "its words came as they were written" 'two words|a"b|c d|' \
    "$(head -c 18 "$work/db/arguments" 2>/dev/null)"
figure() { # NAME
    awk -v name="edgewatch_$1" '$1 == name { print $2 }' "$work/metrics"
}
verdict "some failures were told" "$([ "$(figure notices_told_total)" -ge 5 ] || figure notices_told_total)"
same "every failure was told, or counted" "$(figure notices_told_total)" \
    "$((runs + $(figure notices_limited_total) + $(figure notices_lost_total)))"

# ---- figures ----

cat >"$work/strict.py" <<'PY'
import re, sys
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABELS = r'\{(?:%s="(?:[^"\\\n]|\\["\\n])*"(?:,|(?=\})))*\}' % NAME
types, helped, series, last = {}, set(), set(), None
for i, line in enumerate(open(sys.argv[1]).read().split("\n")[:-1], 1):
    m = re.fullmatch(r"# HELP (%s) [^\n]+" % NAME, line)
    if m:
        if m[1] in helped:
            print(i, "helped twice", m[1])
        helped.add(m[1])
        continue
    m = re.fullmatch(r"# TYPE (%s) (counter|gauge)" % NAME, line)
    if m:
        if m[1] in types:
            print(i, "typed twice", m[1])
        types[m[1]] = m[2]
        last = m[1]
        if m[2] == "counter" and not m[1].endswith("_total"):
            print(i, "a counter without _total", m[1])
        continue
    m = re.fullmatch(r"(%s)(%s)? (\d+(?:\.\d+)?)" % (NAME, LABELS), line)
    if not m or m[1] != last or m[1] not in helped:
        print(i, "bad line", line)
    elif (m[1], m[2]) in series:
        print(i, "twice", line)
    else:
        series.add((m[1], m[2]))
if len(series) < 50:
    print("only", len(series), "series")
PY
same "every packet has one fate" "" "$(awk -F'[{} ]' '/^edgewatch_packets_total/ { left[$2] += $NF }
    /^edgewatch_(handled_packets|duplicates|fragments|not_ip_packets|unknown_link_packets|decode_errors)_total/ { left[$2] -= $NF }
    END { for (i in left) if (left[i]) print i, left[i]; if (!length(left)) print "none" }' "$work/metrics")"
verdict "the figures have the form that Prometheus reads" "$(/usr/bin/python3 "$work/strict.py" "$work/metrics" 2>&1)"
if command -v promtool >/dev/null; then
    verdict "promtool has nothing to say" "$(promtool check metrics <"$work/metrics" 2>&1)"
else
    skip "promtool has nothing to say" "no promtool"
fi
for name in packets bytes kernel_drops nic_drops ring_drops decode_errors duplicates; do
    same "health and figures agree on $name" \
        "$(ask "SELECT interface, sum($name) FROM health WHERE interface IS NOT NULL GROUP BY 1 ORDER BY 1")" \
        "$(sed -n "s/^edgewatch_${name}_total{interface=\"\(.*\)\"} /\1 /p" "$work/metrics" | sort)"
done
for name in table_evictions stream_gaps queue_lost; do
    same "health and figures agree on $name" "$(ask "SELECT sum($name) FROM health WHERE interface IS NULL")" \
        "$(figure ${name}_total)"
done
verdict "every stage has counted something" "$(for name in tracker_attempts tracker_failed_attempts feeder_streams \
    feeder_direct_segments sip_messages stun_messages sdp_bodies sdp_candidates calls allocations \
    joiner_failures; do [ "$(figure ${name}_total)" -gt 0 ] || echo "$name is 0"; done)"

# ---- a command that is stuck ----

db=$work/db/stuck.db
start sensor monitor "$edgewatch" --config /dev/null --db "$db" monitor -i inside -i outside --sensor lab \
    --metrics 9464 --on-failure '/bin/sleep 1000'
monitor=$last
wait_for 15 "the monitor to listen" listening
grep verdict-refused.pcap pcaps/INDEX | awk '$1 == "files" { print "pcaps/" $2 }' >"$work/stories"
in_ns edge /usr/bin/python3 "$here/replay.py" 45 "$work" span-inside span-outside <"$work/stories" >"$work/replay.log"
# Meanwhile every place of the server is taken by somebody who sends a byte now and then.
cat >"$work/drip.py" <<'PY'
import socket, threading, time, urllib.request
def drip():
    while True:
        try:
            s = socket.create_connection(("127.0.0.1", 9464), 2)
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ")
            while True:
                time.sleep(0.3)
                s.sendall(b"a")
        except OSError:
            time.sleep(0.05)
for i in range(8):
    threading.Thread(target=drip, daemon=True).start()
time.sleep(1)
try:
    urllib.request.urlopen("http://127.0.0.1:9464/metrics", timeout=9).read()
except OSError as e:
    print(e)
PY
same "connections that drip do not keep a scrape away" "" "$(in_ns sensor timeout 20 /usr/bin/python3 "$work/drip.py" 2>&1)"
sleep 4
before=$SECONDS
kill -TERM $monitor
wait $monitor
same "it ends with exit code 0" 0 $?
verdict "in time" "$([ $((SECONDS - before)) -le 20 ] || echo "after $((SECONDS - before)) s")"
same "with every packet" "$(cut -d' ' -f3 "$work/replay.log")" "$(ask "SELECT sum(packets) FROM health")"
same "and the failure stored" refused "$(ask "SELECT verdict FROM failures WHERE severity = 'failure'")"
same "nothing is left of the command" "" "$(ip netns pids "$lab-sensor" | xargs -r ps -o comm= -p | grep -x sleep)"
finish
