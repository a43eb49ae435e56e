/* SDN messages: whole, and again in two pieces; both tell the same number of messages. */
#include "flows/sdn.h"
#include "tests/fuzz/inside.h"

static void take(void *arg, const struct sdn_msg *m)
{
    struct sip_msg sip;
    must(m->sdp.n <= SDN_SDP_MAX && m->kind != SDN_NONE);
    if (sdn_sip(m, &sip))
        must(sip.call_id.n > 0 && sip.n_diag <= SIP_MAX_DIAG);
    ++*(unsigned *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned whole = 0, pieces = 0;
    const char *why;
    uint64_t offset = 0;
    struct sdn *one = sdn_new(take, &whole, false), *two = sdn_new(take, &pieces, false);
    size_t half = size / 2;
    bool fine = sdn_push(one, slice_of(data, size), true, &why, &offset);
    must(fine || offset <= size);
    if (sdn_push(two, slice_of(data, half), false, &why, &offset))
        (void)sdn_push(two, slice_of(data + half, size - half), true, &why, &offset);
    must(!fine || whole == pieces);
    sdn_free(one);
    sdn_free(two);
    return 0;
}
