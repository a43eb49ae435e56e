#!/bin/bash
# Differential test: every TCP byte stream of the real captures, as the feeder and libnids put it
# together, against tshark's "follow". Differences must be listed, each with its reason, in
# streams.expected-differences; one that is not listed, and a listed one that is gone, fail.
#
# usage: tests/golden/streams.sh STREAM_DUMP [CAPTURE...]
set -u
here=$(dirname "$0")
dump=$1
shift
captures=${EW_CAPTURES:-$here/../../../shared/captures}
if [ $# -eq 0 ]; then
    if [ ! -d "$captures" ]; then
        echo "streams.sh: skipped: no captures in $captures"
        exit 0
    fi
    set -- "$captures"/*.pcap "$captures"/*.pcapng
fi
command -v tshark >/dev/null || { echo "streams.sh: skipped: no tshark"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# tshark's streams, one line per direction and pair of endpoints, as stream_dump prints them
followed() {
    local streams
    streams=$(tshark -n -r "$1" -Y 'tcp.len > 0' -T fields -E occurrence=l -e tcp.stream \
        2>/dev/null | sort -nu)
    [ -n "$streams" ] || return 0
    # shellcheck disable=SC2046
    tshark -n -r "$1" -q $(printf -- '-z follow,tcp,raw,%s ' $streams) 2>/dev/null | sort_streams
}

sort_streams() {
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
compare() {
    awk '
        NR == FNR { ours[$1] = $2; next }
                  { theirs[$1] = $2 }
        function report(name,  a, b, i) {
            a = ours[name]; b = theirs[name]
            if (a == b)
                return
            for (i = 1; substr(a, i, 2) == substr(b, i, 2); i += 2) {}
            print name, "ours", length(a) / 2, "theirs", length(b) / 2, "first at", (i - 1) / 2
        }
        END {
            for (name in ours) report(name)
            for (name in theirs) if (!(name in ours)) report(name)
        }' "$1" "$2"
}

directions=0
for capture in "$@"; do
    name=$(basename "$capture")
    "$dump" "$capture" >"$work/ours" || { echo "$name: stream_dump failed"; exit 1; }
    followed "$capture" >"$work/theirs"
    directions=$((directions + $(wc -l <"$work/theirs")))
    compare "$work/ours" "$work/theirs" | sed "s/^/$name /" | sort >>"$work/differences"
done

sed 's/ *#.*//; /^$/d' "$here/streams.expected-differences" | sort >"$work/expected"
[ $# -gt 1 ] || grep "^$name " "$work/expected" >"$work/expected.one"
[ $# -gt 1 ] || mv "$work/expected.one" "$work/expected"
sort "$work/differences" | diff "$work/expected" - >"$work/verdict"
status=$?
sed -n 's/^</gone: /p; s/^>/new: /p' "$work/verdict"
echo "streams.sh: $directions directions in $# captures, $(wc -l <"$work/differences") differ," \
    "$(wc -l <"$work/expected") of them expected"
exit $status
