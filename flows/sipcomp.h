/*
 * MS-SIPCOMP: what follows a NEGOTIATE whose answer said "Compression: LZ77-8K" (P§6).
 *
 * Every message then has a binary header of a few bytes whose layout is not documented here. It is
 * worked out from the first message that is sent plain behind it: how long the header is, and which
 * of its bytes tell the size of what follows. Nothing is taken for text that does not begin like
 * SIP; where the layout cannot be worked out, or a message cannot be decoded, the connection stays
 * unread. No capture of it was at hand: this is built on the dossier alone.
 */
#ifndef EW_FLOWS_SIPCOMP_H
#define EW_FLOWS_SIPCOMP_H

#include "flows/streams.h"
#include "flows/wire/sip.h"

struct sipcomp;

/* NULL without memory. */
struct sipcomp *sipcomp_new(void);
void sipcomp_free(struct sipcomp *c);

/* The next message of one side. OK: *m (its slices live until the next call), *used bytes of avail
 * are done. MORE: more bytes are needed, *used is 0. BAD: this connection cannot be read. */
enum wire_result sipcomp_next(struct sipcomp *c, enum stream_side side, struct slice avail,
                              struct sip_msg *m, size_t *used);

#endif
