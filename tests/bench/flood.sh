#!/bin/bash
# A million SYNs from random sources within 20 seconds, and in the midst of them 100 calls whose relays
# connect, are refused, time out ...: every verdict and match of all 100 is right, live and from a file, and
# the strangers at the relays are so many rows a minute.
# (make flood; the part with the file is in tests/golden/generated.sh, too)   takes two minutes
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need flood
make_work
bin=$PWD/build/release/bench
add_ns site
add_ns sensor
span_port site mon
"$bin/generate" flood "$work/flood.pcap" --truth "$work/truth" 2>/dev/null

start sensor monitor "$edgewatch" --config /dev/null --db "$db" monitor -i mon --sensor flood --ring-mb 128
monitor=$last
wait_for 10 "the monitor to listen" listening
in_ns site "$bin/send" span-mon "$work/flood.pcap" --in-time >"$work/send.log"
sleep 30 # the last SYNs without an answer
kill -TERM "$monitor"
wait "$monitor"
same "SIGTERM ends the monitor with exit code 0" 0 $?
sed 's/^/# /' "$work/send.log" "$work/monitor.log"
read -r sent _ <"$work/send.log"
same "every packet arrived" "$sent 0 0" "$(ask "SELECT sum(packets), sum(kernel_drops), sum(ring_drops) FROM health
    WHERE interface = 'mon'")"
verdict "live: every verdict and match of the 100" "$(tests/bench/truth.sh --strangers "$db" "$work/truth")"
verdict "what is not stored is counted" "$(ask "
    SELECT 'stored ' || stored || ', counted ' || counted || ', evicted ' || evicted FROM
    (SELECT count(*) AS stored FROM attempts),
    (SELECT ifnull(sum(aggregated), 0) AS counted, ifnull(sum(table_evictions), 0) AS evicted FROM health)
    WHERE counted = 0 OR stored + counted + evicted < 1000000")"

db=$work/db/read.db
ew read -q "$work/flood.pcap" 2>"$work/read.log"
verdict "from a file: every verdict and match of the 100" "$(tests/bench/truth.sh --strangers "$db" "$work/truth")"
finish
