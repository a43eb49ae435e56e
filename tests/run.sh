#!/bin/bash
# Runs the tests piece by piece, and counts.  usage: tests/run.sh [PIECE...]     (none: all of them)
#
# A piece prints a line per test (tests/help/protocol.sh); those lines are the count. A piece that
# ends badly without a failed test, or says nothing, is a failed test itself. Logs: build/logs/.
# FUZZ_SECONDS (60) is spent on all fuzzers together; EW_CAPTURES is where the real captures are.
set -u
cd "$(dirname "$0")/.." || exit 1
export EW_CAPTURES=${EW_CAPTURES:-$PWD/../shared/captures}
export LC_ALL=C TZ=UTC
make=${MAKE:-make}
jobs=$(nproc)
logs=build/logs
passed=0 failed=0 skipped=0

build() { # TARGET... [VAR=VALUE...]: a test that passes when make does
    if "$make" --no-print-directory -j"$jobs" WERROR=1 "$@"; then
        echo "ok make $*"
    else
        echo "not ok make $*: see the log"
        return 1
    fi
}

# Runs a command per argument, so many at once; output stays together.
each() { # AT-ONCE COMMAND ARGUMENT...
    local at_once=$1 command=$2
    shift 2
    [ $# -gt 0 ] || return 1
    printf '%s\0' "$@" | xargs -0 -P "$at_once" -I{} sh -c 'out=$('"$command"' "$1" 2>&1); status=$?
        printf "%s\n" "$out"; exit $status' sh {}
}

piece_layers() { .ci/layers.sh; }
piece_tidy() { .ci/tidy.sh; }
piece_build() { build all tests; }
piece_clang() { build lint FLAVOUR=lint; }
piece_headers() { each "$jobs" .ci/headers.sh gcc clang; }
piece_unit() { each "$jobs" tests/help/cmocka.sh build/release/tests/test_*; }

piece_build_asan() { build build/asan/edgewatch tests FLAVOUR=asan; }
piece_unit_asan() { each "$jobs" tests/help/cmocka.sh build/asan/tests/test_*; }

# As the program ships, where memory is handed around most.
piece_valgrind() {
    local tests=()
    for t in stun sip sdp frame defrag reassembly tracker matcher joiner joiner_owner joiner_client calls writer; do
        [ -e "tests/unit/test_$t.c" ] && tests+=("build/release/tests/test_$t")
    done
    UNDER='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite' \
        each "$jobs" tests/help/cmocka.sh "${tests[@]}"
}

piece_fuzz() {
    build fuzzers FLAVOUR=fuzz && tests/fuzz/run.sh "${FUZZ_SECONDS:-60}"
}

piece_man() {
    local page found
    for page in man/*.[1-8]; do
        found=$(mandoc -T lint -W warning "$page" 2>&1) &&
            echo "ok $page" || printf 'not ok %s: mandoc complains\n%s\n' "$page" "$found"
    done
}

piece_samples() { build check-samples; }
# The longest begin first, and one more than there are processors: browsers and servers are waited for.
piece_golden() {
    local long=(tests/golden/{pages,captures,generated,streams,report,package}.sh) rest
    mapfile -t rest < <(printf '%s\n' tests/golden/*.sh | grep -vxFf <(printf '%s\n' "${long[@]}"))
    each $((jobs + 1)) bash "${long[@]}" "${rest[@]}"
}

# The whole program under the sanitizers, threads and database included.
piece_golden_asan() {
    EDGEWATCH=$PWD/build/asan/edgewatch each "$jobs" bash tests/golden/{samples,errors,cli}.sh
}
# Networks are made as root, by sudo if that asks nothing; without it each test says that it is skipped.
piece_live() {
    local tests as_root=
    mapfile -t tests < <(find tests/live -name '*.sh' ! -name lib.sh | sort)
    [ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || as_root="sudo -n EDGEWATCH=$PWD/edgewatch"
    each 1 "$as_root timeout -k 10 300 bash" "${tests[@]}"
}

pieces=(layers tidy build headers clang man unit samples build_asan unit_asan golden golden_asan valgrind live fuzz)

# What a piece runs, and which piece makes it.
declare -A needs=([unit]=build [golden]=build [valgrind]=build [live]=build [unit_asan]=build_asan
    [golden_asan]=build_asan)
declare -A broken

count() { # PATTERN FILE
    grep -cE "$1" "$2"
}

# Runs one piece and adds what it told to the count.
run() { # PIECE
    local log=$logs/$1.log status=1 ok not_ok skip start=$SECONDS maker=${needs[$1]:-none}
    if [ -n "${broken[$maker]:-}" ]; then
        echo "not ok $1: not run, because $maker failed" >"$log"
    else
        "piece_$1" >"$log" 2>&1 </dev/null
        status=$?
    fi
    [ $status = 0 ] || broken[$1]=yes
    ok=$(count '^ok ' "$log") not_ok=$(count '^not ok ' "$log") skip=$(count '^skip ' "$log")
    if [ "$not_ok" = 0 ] && { [ $status != 0 ] || [ $((ok + skip)) = 0 ]; }; then
        echo "not ok $1: ended with status $status and $ok results" >>"$log"
        not_ok=1
    fi
    printf '%-12s %5d passed %4d failed %4d skipped  %4d s\n' \
        "$1" "$ok" "$not_ok" "$skip" $((SECONDS - start))
    grep -E '^not ok ' "$log" | head -n 20 | sed 's/^/    /'
    [ "$not_ok" != 0 ] && echo "    (log: $log)"
    grep -E '^skip ' "$log" >>"$logs/skipped"
    passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
}

mkdir -p "$logs"
: >"$logs/skipped"
for piece in "${@:-${pieces[@]}}"; do
    if ! declare -F "piece_$piece" >/dev/null; then
        echo "no such piece: $piece (there are: ${pieces[*]})" >&2
        exit 64
    fi
    run "$piece"
done
sort -u "$logs/skipped" | head -n 20
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
