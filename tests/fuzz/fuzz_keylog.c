/* Lines of key logs, as such and in pieces through the store: the pieces must not matter. */
#include <stdlib.h>

#include "flows/tls_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_keys *k;
    static int source[2];
    struct keylog_line line;
    struct tls_keys_counts before, once, twice;
    struct wire_fault fault;
    if (keylog_parse(slice_of(data, size), &line, &fault) == WIRE_OK &&
        (line.n > (line.kind == SECRET_PREMASTER ? PREMASTER_MAX : SECRET_MAX) ||
         !keylog_looks_like(slice_of(data, size))))
        abort();
    if (!k) {
        k = tls_keys_new();
        source[0] = tls_keys_source(k, "whole");
        source[1] = tls_keys_source(k, "cut");
    }
    tls_keys_counts(k, &before);
    tls_keys_log(k, source[0], slice_of(data, size), true);
    tls_keys_counts(k, &once);
    for (size_t at = 0, n; at < size; at += n) {
        n = 1 + data[at] % 7u;
        if (n > size - at)
            n = size - at;
        tls_keys_log(k, source[1], slice_of(data + at, n), false);
    }
    tls_keys_log(k, source[1], slice_of(NULL, 0), true);
    tls_keys_counts(k, &twice);
    if (twice.lines - once.lines != once.lines - before.lines ||
        twice.secrets - once.secrets != once.secrets - before.secrets)
        abort();
    return 0;
}
