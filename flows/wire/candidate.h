/* Between sdp.c and candidate.c. */
#ifndef EW_FLOWS_WIRE_CANDIDATE_H
#define EW_FLOWS_WIRE_CANDIDATE_H

#include "flows/wire/sdp.h"
#include "flows/wire/words.h"

/* candidate_parse in place: reads the words of a value into k. NULL, or why it is none of the
 * dialects; k is spoilt then. */
const char *candidate_read(struct words *w, struct candidate *k);

#endif
