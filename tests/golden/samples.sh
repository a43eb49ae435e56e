#!/bin/bash
# The samples: every failure that pcaps/INDEX expects of a case, and no other. Then what must not change
# the answer: reading twice, files in the other order, files in two runs, and a file that is cut.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/help/samples.sh

# ---- tests of one case ----

# Each expected line fits one row, and no row is left. A * in a line stands for anything, so lines with
# few of them choose first.
compare_rows() { # EXPECTED-LINES GOT-ROWS
    local line i found
    mapfile -t left <<<"$2"
    while read -r line; do
        [ -n "$line" ] || continue
        found=
        for i in "${!left[@]}"; do
            # shellcheck disable=SC2053 # * matches on purpose
            if [[ ${left[i]} == ${line//[/\\[} ]]; then
                found=$i
                break
            fi
        done
        if [ -n "$found" ]; then unset "left[found]"; else echo "missing: $line"; fi
    done < <(awk '{ print gsub(/[*]/, "*"), $0 }' <<<"$1" | sort -n | cut -d' ' -f2-)
    for line in "${left[@]}"; do
        [ -n "$line" ] && echo "not expected: $line"
    done
}

compare_findings() { # CASE DB
    local code codes
    codes=$(ask "$2" "SELECT DISTINCT code FROM findings")
    for code in $(of_case "$1" finding); do
        grep -qx "$code" <<<"$codes" || echo "finding missing: $code"
    done
    # one refused pair looks the same from everywhere: its possible causes are all listed
    codes=$(ask "$2" "SELECT DISTINCT code FROM findings
        WHERE scope NOT LIKE 'failure:%' OR confidence = 'likely'")
    for code in $(of_case "$1" absent); do
        ! grep -qx "$code" <<<"$codes" || echo "finding that must be absent: $code"
    done
}

reversed() { # WORDS...: last first
    printf '%s\n' "$@" | tac
}

read_case() { # CASE
    local name=$1 files args db=$work/$1 twice=$work/$1-twice other=$work/$1-other apart=$work/$1-apart
    mapfile -t files < <(paths "$name")
    # shellcheck disable=SC2046 # options are words
    set -- $(of_case "$name" args)
    args=("$@")
    if ! read_into "$db" "${args[@]}" "${files[@]}"; then
        not_ok "$name: read" "$(head -n 1 "$work/said")"
        return
    fi
    verdict "$name: failures as expected" "$(compare_rows "$(of_case "$name" expect)" "$(rows "$db")")"
    verdict "$name: findings as expected" "$(compare_findings "$name" "$db")"
    same "$name: the attempts of each failure are rows" "" "$(ask "$db" "SELECT id, verdict FROM failures f
        WHERE syns IS NOT NULL AND verdict <> 'unseen' AND (attempts, syns, rsts, verdict) IS NOT (SELECT count(*),
        sum(a.syns), sum(a.rsts), max(a.verdict) FROM attempts a WHERE a.failure_id = f.id)")"

    read_into "$twice" "${args[@]}" "${files[@]}" && read_into "$twice" "${args[@]}" "${files[@]}"
    same "$name: read twice, the same" "$(whole "$db")" "$(whole "$twice")"
    [ ${#files[@]} -gt 1 ] || return

    mapfile -t swapped < <(reversed "${files[@]}")
    read_into "$other" "${args[@]}" "${swapped[@]}"
    same "$name: in the other order, the same" "$(whole "$db")" "$(whole "$other")"
    for order in files swapped; do
        declare -n list=$order
        rm -f "$apart"*
        for file in "${list[@]}"; do
            read_into "$apart" "${args[@]}" "$file"
        done
        same "$name: in runs of their own ($order), the same" "$(whole "$db")" "$(whole "$apart")"
    done
}

# ---- cut files ----

# How many records of a pcap lie wholly before each of the given lengths, and whether it ends there.
records_before() { # FILE LENGTH...
    perl -e '
        my $file = shift; local $/; open my $f, "<:raw", $file or die; my $bytes = <$f>;
        my ($at, @ends) = (24);
        while ($at + 16 <= length $bytes) {
            $at += 16 + unpack "x8V", substr $bytes, $at, 16;
            push @ends, $at;
        }
        for my $cut (@ARGV) {
            my $n = grep { $_ <= $cut } @ends;
            print $n, " ", ($cut == ($n ? $ends[$n - 1] : 24) ? "whole" : "cut"), "\n";
        }' "$@"
}

# A twentieth at a time: everything before the damage is stored, the exit code tells of the damage,
# and stderr names file and place.
cut_file() { # FILE
    local file=$1 name=${1##*/} size i cuts=() db=$work/cut piece=$work/piece.pcap found=
    size=$(stat -c %s "$file")
    for i in {1..19}; do cuts+=($((size * i / 20))); done
    i=0
    while read -r records state; do
        local cut=${cuts[i]} want=65 got stored
        i=$((i + 1))
        [ "$state" = whole ] && [ "$records" -gt 0 ] && want=0
        head -c "$cut" "$file" >"$piece"
        rm -f "$db"*
        read_into "$db" "$piece"
        got=$?
        stored=$(ask "$db" "SELECT ifnull(sum(packets), 0) FROM health WHERE interface IS NOT NULL" 2>&1)
        if [ "$got" != "$want" ] || [ "${stored:-0}" != "$records" ]; then
            found="cut at $cut: exit $got, $stored packets stored; expected exit $want, $records packets"
            break
        fi
        if [ "$want" = 65 ] && ! grep -q piece.pcap "$work/said"; then
            found="cut at $cut: the message does not name the file: $(head -n 1 "$work/said")"
            break
        fi
    done < <(records_before "$file" "${cuts[@]}")
    verdict "$name: cut at every twentieth" "$found"
}

for name in $(awk '$1 == "case" { print $2 }' pcaps/INDEX); do
    read_case "$name"
done
for file in pcaps/*.pcap; do
    cut_file "$file"
done
finish
