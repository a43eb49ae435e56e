#!/bin/bash
# Every failure path made to happen: a short run of each command, with another call failing each time.
# usage: tests/faults/run.sh all|places|sample [CASE...]      (make faults [FAULTS=all])
#
#   all     every n up to the end of the run, memory included: about an hour
#   places  files, network and libpcap: every n; memory: the first call from each place (call stack)
#   sample  some of each: what every change has time for
# Cases: read import report show failures serve monitor. See sweep.c for what makes a run fine.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
how=${1:-places}
shift
edgewatch=${EDGEWATCH:-$PWD/edgewatch}
tools=$PWD/${FAULT_TOOLS:-build/release/faults}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 711 "$work"
unset EDGEWATCH_DB EDGEWATCH_CONFIG
pair=(pcaps/incident1-sip-internal.pcap pcaps/incident1-external.pcap)
ew=("$edgewatch" --config /dev/null --db @DB)

# How much of each kind: files and the like are few, places that ask for memory are thousands.
case $how in
all) few=(-e 1) many=() ;;
places) few=(-e 1) many=(-e 1) ;;
sample) few=(-e 29 -m 1) many=(-e 149 -s 7 -m 3) ;;
*) exit 64 ;;
esac

# The first call from each place that asks for memory, in the file places.
find_places() { # SWEEP-OPTIONS COMMAND...
    local first=$1 dir=$work/first
    shift
    mkdir -p "$dir"
    rm -f "$dir"/* "$work/places"
    [ -z "$first" ] || cp "${first#-d }" "$dir/db"
    head -c 24 /dev/zero >"$dir/shm"
    local words=("${@/@DB/$dir/db}")
    words=("${words[@]/@DIR/$dir}")
    FAULT_SITES=$work/places LD_PRELOAD=$tools/shim.so FAULT_KIND=alloc FAULT_AT=0 FAULT_SHM=$dir/shm \
        timeout 30 "${words[@]}" >/dev/null 2>&1 </dev/null
}

sweep() { # OPTIONS KIND ERRNO NAME COMMAND...
    local options=$1 kind=$2 errno=$3 name=$4
    shift 4
    # shellcheck disable=SC2086 # options are words
    "$tools/sweep" -j "$(nproc)" $options "$tools/shim.so" "$kind" "$errno" "$name" -- "$@" || failed_tests=1
}

# Files, locks, threads: "kind errno" each.
fail_calls() { # OPTIONS NAME KINDS COMMAND...
    local options=$1 name=$2 kinds=$3 each
    shift 3
    for each in $kinds; do
        sweep "$options ${few[*]}" "${each%:*}" "${each#*:}" "$name" "$@"
    done
}

fail_memory() { # FIRST-DB OPTIONS NAME COMMAND...
    local first=$1 options=$2 name=$3
    shift 3
    if [ "$how" = all ]; then
        sweep "$first $options" alloc 12 "$name" "$@"
    else
        find_places "$first" "$@"
        sweep "$first $options -n $work/places ${many[*]}" alloc 12 "$name" "$@"
    fi
}

files="write:28 write:5 write:short write:28+ sync:5 sync:5+ trunc:5 read:5 read:short open:24 unlink:5 thread:11
    lock:37 map:12"
[ "$how" != sample ] || files="write:28 write:short sync:5 read:5 open:24 thread:11 lock:37 map:12"

case_read() {
    fail_calls -a read "$files pcap:5 net:5" "${ew[@]}" read "${pair[@]}"
    fail_memory "" "" read "${ew[@]}" read "${pair[@]}"
}

base() { # a database to begin with
    [ -e "$work/base.db" ] ||
        "$edgewatch" --config /dev/null --db "$work/base.db" read -q pcaps/incident1-internal.pcap \
            pcaps/incident1-external.pcap || not_ok "a database to begin with" "exit code $?"
}

case_import() {
    base
    fail_calls "-a -d $work/base.db" import "$files" "${ew[@]}" import pcaps/incident1-client.uccapilog
    fail_memory "-d $work/base.db" "" import "${ew[@]}" import pcaps/incident1-client.uccapilog
}

# Readers change nothing, so their database always has its rows.
case_reader() { # NAME ARGUMENT...
    local name=$1
    shift
    base
    fail_calls "-d $work/base.db" "$name" "${reads:-read:5 read:short open:24 lock:37 map:12}" "${ew[@]}" "$@"
    fail_memory "-d $work/base.db" "" "$name" "${ew[@]}" "$@"
}

case_report() { case_reader report report --day 2012-12-10 --format html -o @DIR/out.html; }
case_show() { case_reader show show 1; }
case_failures() { case_reader failures failures --all --format json; }

# serve does not end by itself: two seconds after it began it is told to.
case_serve() {
    base
    sweep "-d $work/base.db ${few[*]}" net 5 serve timeout --foreground --preserve-status -s INT 2 "${ew[@]}" serve --listen 127.0.0.1:0
    sweep "-d $work/base.db ${few[*]}" thread 11 serve timeout --foreground --preserve-status -s INT 2 "${ew[@]}" serve --listen 127.0.0.1:0
}

# As root; on the loopback interface, for a second.
case_monitor() {
    if [ "$(id -u)" != 0 ]; then
        skip monitor "needs root"
        return
    fi
    cp "$edgewatch" "$work/edgewatch"
    chmod 755 "$work/edgewatch"
    local kind
    for kind in pcap:5 net:5 thread:11 write:28 sync:5; do
        sweep "-k -u ${few[*]}" "${kind%:*}" "${kind#*:}" monitor timeout --foreground --preserve-status -s INT 2 "$work/edgewatch" --config /dev/null \
            --db @DB monitor -i lo --user nobody
    done
}

for name in "${@:-read}"; do
    "case_$name"
done
finish
