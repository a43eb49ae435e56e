/* Multipart: the first line of the input is the content type, the rest the body. */
#include "flows/wire/sip.h"
#include "tests/fuzz/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *lf = size ? memchr(data, '\n', size) : NULL;
    size_t n = lf ? (size_t)(lf - data) : size;
    struct slice type = slice_of(data, n), body = slice_of(data + n, size - n);
    struct slice part_type, disposition, part;
    struct mime_walk w;
    size_t total = 0;

    mime_start(&w, type, body);
    while (mime_next(&w, &part_type, &disposition, &part)) {
        must_be_inside(part_type, slice_of(data, size));
        must_be_inside(disposition, body);
        must_be_inside(part, body);
        total += part.n;
    }
    must(total <= body.n);
    return 0;
}
