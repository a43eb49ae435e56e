/*
 * The attributes of one STUN message: how the list is cut, and what each value means. Private to
 * flows/wire/stun*.c; everybody else calls stun_parse.
 */
#ifndef EW_FLOWS_WIRE_STUN_ATTR_H
#define EW_FLOWS_WIRE_STUN_ATTR_H

#include "flows/wire/stun.h"

/* Does the list fill body to the last byte when each value is padded to 4 (RFC 5389 §15) or not
 * (P§1.4)? The padding of the last one may be missing. */
bool stun_attr_closes(struct slice body, bool padded);

/* Reads the list into m, whose kind, id and type are set. has_cookie: the message carries the
 * MS-TURN cookie attribute, which changes the meaning of several numbers. Sets m->damaged and stops
 * at the first attribute that runs past the end or whose value does not fit its type. */
void stun_attr_read(struct slice body, bool padded, bool has_cookie, struct stun_msg *m);

/* MS-ICE pads texts with NULs inside the counted length. */
struct slice stun_cut_nuls(struct slice text);

#endif
