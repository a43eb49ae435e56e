#!/bin/bash
# The monitor as a service: what it tells systemd (a socket of our own in its place), SIGHUP, SIGTERM,
# and the sandbox that its threads are in.
# needs: iproute2 nftables python3 sqlite3 tshark
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/live/lib.sh
need service
make_work
add_ns edge
add_ns sensor
span_port edge inside
cp "$edgewatch" "$work/edgewatch"
edgewatch=$work/edgewatch

# What systemd would hear: a line per message, its time in front.
listen_for_words() {
    cat >"$work/words.py" <<-'PY'
		import socket, sys, time
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		import os
		os.chmod(sys.argv[1], 0o777)
		print("bound", flush=True)
		while True:
		    for line in s.recv(4096).decode().split("\n"):
		        print("%.3f" % time.monotonic(), line, flush=True)
	PY
    start sensor words /usr/bin/python3 "$work/words.py" "$work/notify"
    wait_for 10 "the socket" said words '^bound'
}
count_words() { # PATTERN
    grep -cE "$1" "$work/words.log"
}
heard() { # PATTERN AT-LEAST
    [ "$(count_words "$1")" -ge "$2" ]
}

mkdir -m 755 "$work/etc"
configure() { # LINES
    printf '%s\n' "$@" >"$work/etc/new"
    mv "$work/etc/new" "$work/etc/edgewatch.conf" # a new file in the old one's place, as editors do
}
configure '[edge]' 'nat = 10.3.0.40=203.0.113.40'
listen_for_words
start sensor service env NOTIFY_SOCKET="$work/notify" WATCHDOG_USEC=2000000 \
    "$edgewatch" --config "$work/etc/edgewatch.conf" --db "$db" monitor -i inside
service=$last
wait_for 10 "the first word" heard 'READY=1' 1
verdict "it is ready when it listens, and says on what" \
    "$(grep -q 'STATUS=listening on inside' "$work/words.log" || cat "$work/words.log")"
wait_for 10 "three signs of life" heard 'WATCHDOG=1' 3
verdict "on a silent interface it says that it is alive, twice per period" "$(awk '/WATCHDOG=1/ {
    if (last && $1 - last > 1.6) print $1 - last " s between two"
    last = $1 }' "$work/words.log")"

verdict "every thread is filtered" "$(for task in /proc/"$service"/task/*; do
    grep -qE '^Seccomp:[[:space:]]+2$' "$task/status" || echo "${task##*/} is not"
done)"

# ---- reloading ----

aliases() {
    ask "SELECT group_concat(private_addr || '=' || public_addr, ' ') FROM (SELECT * FROM aliases WHERE
        origin = 'configured' ORDER BY private_addr)"
}
has_aliases() {
    [ "$(aliases)" = "$1" ]
}
configure '[edge]' 'nat = 10.3.0.40=203.0.113.40' 'nat = 10.3.0.41=203.0.113.41'
kill -HUP "$service"
wait_for 10 "the new alias" has_aliases '10.3.0.40=203.0.113.40 10.3.0.41=203.0.113.41'
same "SIGHUP: a new alias is taken over" '10.3.0.40=203.0.113.40 10.3.0.41=203.0.113.41' "$(aliases)"
wait_for 10 "the end of the reload" heard 'READY=1' 2
verdict "it says that it reloads, then that it is ready" "$(awk '/RELOADING=1|MONOTONIC_USEC=|READY=1/ { print $2 }' \
    "$work/words.log" | sed 's/=.*//' | paste -sd' ' | grep -vx 'READY RELOADING MONOTONIC_USEC READY')"

configure '[edge]' 'nat = 10.3.0.40=203.0.113.40' 'nat = nonsense'
kill -HUP "$service"
wait_for 10 "a complaint" said service 'edgewatch.conf:3: .*nonsense'
verdict "a wrong file is named with its line, and changes nothing" \
    "$(grep -q 'edgewatch.conf:3: .*going on' "$work/service.log" || cat "$work/service.log")"
verdict "it goes on" "$(ended "$service" && cat "$work/service.log")"

configure '[edge]' 'nat = 10.3.0.40=203.0.113.40' '[sensor]' 'sensor = other'
kill -HUP "$service"
wait_for 10 "a remark" said service 'next start'
verdict "what needs a new start is named" \
    "$(grep -qE '[ ,;]sensor: .*next start' "$work/service.log" || cat "$work/service.log")"

# ---- the end ----

kill -TERM "$service"
wait "$service"
same "SIGTERM: exit code" 0 $?
verdict "it says that it is stopping" "$(heard 'STOPPING=1' 1 || cat "$work/words.log")"
same "the run has an end" 1 "$(ask 'SELECT count(*) FROM runs WHERE ended IS NOT NULL')"
finish
