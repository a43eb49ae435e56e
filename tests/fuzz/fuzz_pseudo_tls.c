/* The fake handshake, and what came instead; judgements must not change when more bytes come. */
#include <stdlib.h>

#include "flows/wire/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool fact)
{
    if (!fact)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_fault fault;
    struct slice in = slice_of(data, size), half = slice_of(data, size / 2);
    enum wire_result hello = pseudo_tls_hello(in, &fault), answer = pseudo_tls_answer(in, &fault);
    expect(hello != WIRE_OK || size >= PSEUDO_TLS_HELLO);
    expect(answer != WIRE_OK || size >= PSEUDO_TLS_ANSWER);
    expect(pseudo_tls_hello(half, NULL) == WIRE_MORE || pseudo_tls_hello(half, NULL) == hello);

    enum tls_instead early, late;
    if (pseudo_tls_instead(half, &early) == WIRE_OK)
        expect(pseudo_tls_instead(in, &late) == WIRE_OK && early == late);
    expect(pseudo_tls_instead(in, &late) != WIRE_BAD);
    return 0;
}
