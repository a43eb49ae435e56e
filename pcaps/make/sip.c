/* SIP on the wire, RFC 3261. */
#include "pcaps/make/sip.h"

static size_t wire_length(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += *text == '\n' ? 2 : 1;
    return n;
}

static void put_lines(struct buf *b, const char *text)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        buf_put(b, text, (size_t)(end - text));
        buf_str(b, "\r\n");
    }
    assert(!*text);
}

void sip_write(struct buf *b, const char *head, const char *sdp)
{
    put_lines(b, head);
    if (sdp)
        put_lines(b, "Content-Type: application/sdp\n");
    buf_fmt(b, "Content-Length: %zu\r\n\r\n", sdp ? wire_length(sdp) : 0);
    if (sdp)
        put_lines(b, sdp);
}
