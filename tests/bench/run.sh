#!/bin/bash
# Speed and memory on the two kinds of generated capture, against a bare libpcap loop on the same file
# (make bench). Programs take turns; shown are medians.  usage: tests/bench/run.sh [ROUNDS]
# Others (tcpdump, argus, softflowd) join if they are installed.
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-5}
bin=build/release/bench
work=build/bench
mkdir -p $work

# One run of a program over a capture.
go() { # PROGRAM CAPTURE
    case $1 in
    loop) $bin/measure "$work/loop.times" $bin/loop "$2" ;;
    edgewatch)
        rm -f $work/bench.db*
        $bin/measure "$work/edgewatch.times" ./edgewatch --config /dev/null --db $work/bench.db read -q "$2"
        ;;
    tcpdump) $bin/measure "$work/tcpdump.times" tcpdump -r "$2" -w /dev/null ;;
    argus) $bin/measure "$work/argus.times" argus -r "$2" -w $work/argus.out ;;
    softflowd) $bin/measure "$work/softflowd.times" softflowd -r "$2" -d -n 127.0.0.1:9995 -m 2000000 ;;
    esac >/dev/null 2>"$work/said" || { cat "$work/said"; exit 1; }
}

median() { # PROGRAM COLUMN
    awk -v c="$2" '{ print $c }' "$work/$1.times" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# Verdicts that edgewatch stored against those that the generator made.
check_truth() { # TRUTH
    if tests/bench/truth.sh $work/bench.db "$1" >"$work/said"; then
        echo "ground truth: $(wc -l <"$1") lines, all found"
    else
        echo "ground truth: NOT MET"
        head -n 20 "$work/said"
        return 1
    fi
}

programs="loop edgewatch"
for other in tcpdump argus softflowd; do
    command -v $other >/dev/null && programs+=" $other"
done

result=0
for kind in bulk calls; do
    file=$work/$kind.pcap
    [ -e "$file" ] || $bin/generate $kind "$file" --truth $work/$kind.truth 2>/dev/null
    cat "$file" >/dev/null # into the page cache
    rm -f $work/*.times
    for ((round = 0; round < rounds; round++)); do
        for program in $programs; do
            go "$program" "$file"
        done
    done
    echo "$kind: $(stat -c %s "$file" | awk '{ printf "%.2f GB", $1 / 1e9 }'), $($bin/loop "$file"), median of $rounds"
    printf '  %-10s %8s %8s %8s %8s\n' program 'wall s' 'cpu s' 'peak MB' 'x loop'
    for program in $programs; do
        printf '  %-10s %8.2f %8.2f %8.0f %8.2f\n' "$program" "$(median "$program" 1)" "$(median "$program" 2)" \
            "$(median "$program" 3)" "$(echo "$(median "$program" 1) $(median loop 1)" | awk '{ print $1 / $2 }')"
    done
    check_truth $work/$kind.truth || result=1
done
exit $result
