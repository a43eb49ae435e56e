#!/bin/bash
# Differential test: every TCP byte stream of the real captures, as the feeder and libnids put it
# together, against tshark's "follow". Where they differ, streams.expected-differences says so and
# why; anything else that differs, and any explanation that no longer holds, fails.
#
# usage: tests/golden/streams.sh [CAPTURE...]
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/protocol.sh
captures=${EW_CAPTURES:-../shared/captures}
dump=build/release/golden/stream_dump
known=tests/golden/streams.expected-differences

if [ $# -eq 0 ] && [ ! -d "$captures" ]; then
    skip streams "no captures in $captures (EW_CAPTURES names the folder)"
    exit 0
fi
if ! command -v tshark >/dev/null; then
    skip streams "no tshark to compare with"
    exit 0
fi
[ $# -gt 0 ] || set -- "$captures"/*.pcap "$captures"/*.pcapng
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# tshark's streams, one line per direction and pair of endpoints, as stream_dump prints them
followed() { # CAPTURE
    local streams
    streams=$(tshark -n -r "$1" -Y 'tcp.len > 0' -T fields -E occurrence=l -e tcp.stream \
        2>/dev/null | sort -nu)
    [ -n "$streams" ] || return 0
    # shellcheck disable=SC2046 # an option for each
    tshark -n -r "$1" -q $(printf -- '-z follow,tcp,raw,%s ' $streams) 2>/dev/null | by_direction
}

by_direction() {
    awk '
        /^Filter: /  { stream = $NF }
        /^Node [01]/ { node[stream, substr($2, 1, 1)] = $3; last = stream > last ? stream : last }
        /^[0-9a-f]/  { sent[stream, 0] = sent[stream, 0] $1 }
        /^\t/        { sent[stream, 1] = sent[stream, 1] $1 }
        END {
            for (s = 0; s <= last; s++)
                for (i = 0; i < 2; i++)
                    if (sent[s, i] != "") {
                        name = node[s, i] ">" node[s, 1 - i]
                        bytes[name] = bytes[name] sent[s, i]
                    }
            for (name in bytes)
                print name, bytes[name]
        }'
}

# "DIRECTION ours N theirs M first at K" for every direction that is not the same
differences() { # OURS THEIRS
    awk '
        NR == FNR { ours[$1] = $2; next }
                  { theirs[$1] = $2 }
        function report(name,    a, b, i) {
            a = ours[name]; b = theirs[name]
            if (a == b)
                return
            for (i = 1; substr(a, i, 2) == substr(b, i, 2); i += 2) {}
            print name, "ours", length(a) / 2, "theirs", length(b) / 2, "first at", (i - 1) / 2
        }
        END {
            for (name in ours) report(name)
            for (name in theirs) if (!(name in ours)) report(name)
        }' "$1" "$2" | sort
}

for capture in "$@"; do
    name=$(basename "$capture")
    if ! "$dump" "$capture" >"$work/ours"; then
        not_ok "streams of $name" "stream_dump ended badly"
        continue
    fi
    followed "$capture" >"$work/theirs"
    same "$(wc -l <"$work/theirs") streams of $name" \
        "$(sed -n "s/^$name //p" "$known" | sort)" "$(differences "$work/ours" "$work/theirs")"
done
finish
