/* Diagnostics headers: walks end, slices inside. */
#include "flows/wire/ms_diag.h"
#include "tests/fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size), name, value;
    struct ms_diag d;
    size_t pos = 0, last = 0;
    enum wire_result r = ms_diag_parse(in, &d, NULL);
    must(r != WIRE_MORE);
    if (r == WIRE_BAD)
        return 0;
    must_be_inside(d.reason, in);
    must_be_inside(d.source, in);
    must_be_inside(d.params, in);
    while (ms_diag_param(d.params, &pos, &name, &value)) {
        must_be_inside(name, d.params);
        must_be_inside(value, d.params);
        must(pos > last);
        last = pos;
    }
    must(d.n_media <= DIAG_MAX_MEDIA);
    for (unsigned i = 0; i < d.n_media; i++) {
        must_be_inside(d.media[i].medium, d.params);
        must_be_inside(d.media[i].fields, d.params);
        for (pos = 0; media_debug_field(d.media[i].fields, &pos, &name, &value);) {
            must(name.n > 0);
            must_be_inside(name, d.media[i].fields);
            must_be_inside(value, d.media[i].fields);
        }
    }
    (void)ms_diag_code_text(d.code);
    (void)ms_diag_is_media_failure(&d);
    return 0;
}
