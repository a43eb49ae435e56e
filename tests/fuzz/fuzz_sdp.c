/* SDP bodies: candidates belong to media one after another, nothing over the caps. */
#include "flows/wire/sdp.h"
#include "tests/fuzz/inside.h"

static struct sdp sdp;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    enum wire_result r = sdp_parse(in, &sdp, NULL);
    unsigned total = 0;
    must(r != WIRE_MORE);
    if (r == WIRE_BAD)
        return 0;
    must(sdp.n_media <= SDP_MAX_MEDIA && sdp.n_candidates <= SDP_MAX_CANDIDATES);
    for (unsigned i = 0; i < sdp.n_media; i++) {
        const struct sdp_media *m = &sdp.media[i];
        const struct slice all[] = {m->kind, m->proto, m->label, m->mid, m->ufrag};
        for (size_t s = 0; s < sizeof all / sizeof *all; s++)
            must_be_inside(all[s], in);
        must(m->first_candidate == total);
        total += m->n_candidates;
    }
    must(total == sdp.n_candidates);
    for (unsigned i = 0; i < sdp.n_candidates; i++)
        must_be_inside(sdp.candidates[i].foundation, in);
    return 0;
}
