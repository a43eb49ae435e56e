#!/bin/bash
# Includes go one way: capture <- flows <- storage <- report <- cli, and foreign libraries have one
# door each. Prints one line per rule.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/help/protocol.sh

# What a folder may include of the folders below it. A name without a slash at its end is one header.
# storage keeps and joins what the engine hands out: the records, the pure matcher and the joiner, the
# limits, and the words of SDP and diagnostics. It never sees packets, streams or the tracker.
declare -A MAY=(
    [capture]='capture/'
    [flows/wire]='flows/wire/ capture/bytes.h capture/endpoint.h'
    [flows]='flows/ capture/'
    [storage]='storage/ capture/bytes.h capture/digits.h capture/endpoint.h capture/frame.h capture/tick.h
        flows/arena.h flows/facts.h flows/skew.h flows/findings.h flows/joiner.h flows/limits.h flows/matcher.h
        flows/memory.h flows/pipeline.h flows/verdict.h flows/wire/ms_diag.h flows/wire/sdp.h'
    [report]='report/ storage/page.h storage/query.h capture/bytes.h capture/endpoint.h capture/frame.h
        capture/tick.h flows/claims.h flows/findings.h flows/verdict.h flows/wire/ms_diag.h'
    [cli]='cli/ report/ storage/ flows/ capture/'
)

# Libraries and the only files that may know them.
declare -A DOOR=(
    [nids.h]='flows/streams_nids.c'
    [pcap/pcap.h]='capture/source_file.c capture/source_live.c capture/shed_try.c cli/check.c'
    [sqlite3.h]='storage/'
    [libsmartcols.h]='report/table.c'
    [cap-ng.h]='capture/privs.c'
    [seccomp.h]='capture/sandbox.c'
    [systemd/sd-daemon.h]='cli/notify.c'
    [systemd/sd-journal.h]='cli/journal.c'
    [ini.h]='cli/config.c'
    [zlib.h]='capture/textlog.c'
    [microhttpd.h]='report/http.c capture/feed_sdn.c cli/metrics_http.c'
    [ncurses.h]='cli/screen.c'
    [expat.h]='flows/sdn.c'
    ['openssl/.*\.h']='flows/tls_crypto.c flows/tls_crypto_inner.h flows/tls_shield.c flows/tls_cert.c
        storage/privacy_cipher.c'
)

allowed() { # HEADER PATTERNS...
    local header=$1 p
    shift
    for p in "$@"; do
        [[ $header == "$p" || ($p == */ && $header == "$p"*) ]] && return 0
    done
    return 1
}

# Every include of a folder's own files that the rule does not name.
strays() { # FOLDER
    local file header
    grep -Eo '^#include "[^"]+"' "$1"/*.[ch] /dev/null | sed 's/:#include "\([^"]*\)"/ \1/' |
        while read -r file header; do
            # shellcheck disable=SC2086 # a list of patterns
            allowed "$header" ${MAY[$1]} || echo "$file includes $header"
        done
}

for folder in capture flows/wire flows storage report cli; do
    found=$(strays "$folder")
    verdict "$folder includes only what lies below it" "$found"
done

for header in "${!DOOR[@]}"; do
    found=$(grep -lE "^#include <$header>" capture/*.[ch] flows/*.[ch] flows/wire/*.[ch] \
        storage/*.[ch] report/*.[ch] cli/*.[ch] | while read -r file; do
        # shellcheck disable=SC2086
        allowed "$file" ${DOOR[$header]} || echo "$file includes $header"
    done)
    verdict "$header has one door" "$found"
done

# (sandbox.c: the child that makes the filter ends itself)
found=$(grep -nwE 'exit|_exit|abort' capture/*.c flows/*.c flows/wire/*.c storage/*.c report/*.c |
    grep -E '(exit|abort) *\(' | grep -v '^capture/sandbox.c:[0-9]*: *_exit(same ' | grep -vE '^[^:]+:[0-9]+: *(/?\*|//)')
verdict "only cli ends the program" "$found"

found=$(grep -nwE 'clock_gettime|gettimeofday|time *\(NULL\)' flows/*.c flows/wire/*.c)
verdict "flows asks no clock" "$found"

found=$(grep -nwE '(m|c|re)alloc|strdup|clock_gettime|printf|fprintf|log_(error|warn|info)' flows/wire/*.c)
verdict "wire parsers neither allocate nor print" "$found"
finish
