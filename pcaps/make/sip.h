/*
 * SIP messages from readable text: lines end with \n in the source and with CRLF on the wire, and
 * Content-Length is counted. `head` starts with the request or status line and ends with \n; `body`
 * may be NULL. A body of SDP gets its Content-Type here.
 */
#ifndef EW_PCAPS_SIP_H
#define EW_PCAPS_SIP_H

#include "pcaps/make/buf.h"

void sip_write(struct buf *b, const char *head, const char *sdp);

#endif
