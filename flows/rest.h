/*
 * The front of a message whose rest is still to come: bytes in order, collected from segment to
 * segment until their reader takes them. Nothing is missing between them; what comes in disorder is
 * libnids' business (reassembly.c).
 *
 * Buffers go round: the emptied one of one stream is the next stream's, so that a message over
 * several segments costs no malloc().
 */
#ifndef EW_FLOWS_REST_H
#define EW_FLOWS_REST_H

#include "capture/bytes.h"

struct rest {
    uint8_t *bytes;
    uint32_t n, size; /* n = 0: nothing is collected, and there is no buffer */
};

enum {
    REST_FIRST = 4096,      /* bytes of a new buffer */
    REST_SPARES = 16,       /* emptied buffers that are kept */
    REST_SPARE_MAX = 16384, /* bytes of each of these, at most */
};

/* Zeroed at first. */
struct rest_stock {
    struct rest spare[REST_SPARES];
    uint32_t n;
};

/* Copies more behind what is there. False: no memory, nothing changed. */
bool rest_add(struct rest_stock *stock, struct rest *r, struct slice more);
/* All but the last left bytes were taken. */
void rest_taken(struct rest_stock *stock, struct rest *r, uint32_t left);
void rest_drop(struct rest_stock *stock, struct rest *r);
/* Frees the spare buffers. */
void rest_end(struct rest_stock *stock);

#endif
