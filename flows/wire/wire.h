/*
 * What all wire parsers share. A wire parser is pure: slice in, struct out, no allocation, no log,
 * no clock, no state. Slices in the output point into the input and die with it. On anything but
 * WIRE_OK the output struct is unchanged.
 */
#ifndef EW_FLOWS_WIRE_WIRE_H
#define EW_FLOWS_WIRE_WIRE_H

#include "capture/bytes.h"
#include "capture/endpoint.h"

enum wire_result {
    WIRE_OK,
    WIRE_MORE, /* a valid beginning: feed more bytes */
    WIRE_BAD,  /* can't become valid; see struct wire_fault */
};

/* Why a parser said BAD. reason is a literal. */
struct wire_fault {
    const char *reason;
    size_t offset; /* in the input slice */
};

static inline enum wire_result wire_bad(struct wire_fault *f, const char *reason, size_t offset)
{
    if (f)
        *f = (struct wire_fault){reason, offset};
    return WIRE_BAD;
}

#endif
