#!/bin/bash
# The engine's thread stands still for a second (ptrace), and the database is locked by another for a
# second: media and calls go on meanwhile, and nothing is lost.
# usage: stalls.sh [PACKETS-PER-SECOND [MONITOR-OPTION...]]      (make stalls: 150,000)
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
rate=${1:-30000}
shift
need stalls
make_work
bin=$PWD/build/release/bench
add_ns site
add_ns sensor
span_port site mon
"$bin/generate" bulk "$work/bulk.pcap" --calls $((rate * 4 / 600)) --truth "$work/truth" 2>/dev/null

# Packets for about four seconds; in the second of them COMMAND does its harm.
during() { # NAME COMMAND...
    local name=$1 sent
    shift
    db=$work/db/$name.db
    start sensor monitor "$edgewatch" --config /dev/null --db "$db" monitor -i mon --sensor stall "${options[@]}"
    monitor=$last
    wait_for 10 "the monitor to listen" listening
    start site send "$bin/send" span-mon "$work/bulk.pcap" --rate "$rate"
    sending=$last
    sleep 1
    begun=$(date +%s%N)
    "$@" || not_ok "$name" "$* ended with $?"
    echo "# $name: stood still for $((($(date +%s%N) - begun) / 1000000)) ms"
    wait "$sending"
    sleep 0.3
    kill -TERM "$monitor"
    wait "$monitor"
    read -r sent _ <"$work/send.log"
    sed 's/^/# /' "$work/send.log"
    grep '^edgewatch: ' "$work/monitor.log" | tail -n +2 | sed 's/^/# /'
    same "$name: every packet was seen, every row was stored" "$sent lost 0 0 0 0" \
        "$(ask "SELECT sum(packets), 'lost', sum(nic_drops), sum(kernel_drops), sum(ring_drops),
            (SELECT sum(queue_lost) FROM health) FROM health WHERE interface = 'mon'")"
    same "$name: every call is there" "$(awk '$2 == "calls" { print $3 }' "$work/truth")" "$(ask 'SELECT count(*) FROM calls')"
}
freeze() { # the engine is the thread that began first
    "$bin/freeze" "$monitor" 1000
}
lock() { # for a second, as soon as the writer lets go of it
    /usr/bin/python3 - "$db" <<-PY
		import sqlite3, sys, time
		db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
		until = time.monotonic() + 10
		while True:
		    try:
		        db.execute("BEGIN EXCLUSIVE")
		        break
		    except sqlite3.OperationalError:
		        if time.monotonic() > until:
		            raise
		        time.sleep(0.0002)
		began = time.monotonic()
		time.sleep(1)
		db.execute("COMMIT")
		print("# locked for %.0f ms" % ((time.monotonic() - began) * 1000))
	PY
}
options=("$@")
during engine freeze
during database lock
finish
