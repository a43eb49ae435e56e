/* One record of a SIP log, client's and server's: what is written of it is a SIP message or
 * nothing, never longer than its room, and the same whether lines end in LF or CRLF. */
#include "flows/wire/siplog.h"
#include "flows/wire/sip.h"
#include "tests/fuzz/inside.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 16 };

static uint8_t *crlf; /* the input with CR before each LF that has none */
static size_t crlf_n;

static void with_crlf(struct slice in)
{
    crlf = realloc(crlf, 2 * in.n + 1);
    must(crlf != NULL);
    crlf_n = 0;
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\n' && (i == 0 || in.p[i - 1] != '\r'))
            crlf[crlf_n++] = '\r';
        crlf[crlf_n++] = in.p[i];
    }
}

static void message(struct slice in, bool server)
{
    static uint8_t out[ROOM], again[ROOM];
    struct siplog_text t, u;
    struct sip_msg m;
    enum wire_result r = siplog_message(in, server, out, sizeof out, &t, NULL);
    must(siplog_message(slice_of(crlf, crlf_n), server, again, sizeof again, &u, NULL) == r);
    if (r != WIRE_OK)
        return;
    must(t.n <= sizeof out && t.n >= 2 && memcmp(out + t.n - 2, "\r\n", 2) == 0);
    must(u.n == t.n && u.elided == t.elided && memcmp(again, out, t.n) == 0);
    must(sip_parse(slice_of(out, t.n), true, &m, NULL) != WIRE_MORE);
    uint8_t *tight = malloc(t.n); /* the sanitizer watches its end */
    must(tight != NULL);
    must(siplog_message(in, server, tight, t.n - 1, &u, NULL) == WIRE_BAD);
    must(siplog_message(in, server, tight, t.n, &u, NULL) == WIRE_OK);
    must(memcmp(tight, out, t.n) == 0);
    free(tight);
}

static void fields(struct slice in)
{
    struct siplog_diag d;
    struct slice value;
    if (siplog_field(in, "Peer", &value))
        must_be_inside(value, in);
    if (siplog_diag(in, &d, NULL) != WIRE_OK)
        return;
    must(d.text.n || d.result.n || d.has_code);
    must_be_inside(d.severity, in);
    must_be_inside(d.text, in);
    must_be_inside(d.result, in);
    must_be_inside(d.start_line, in);
    must_be_inside(d.call_id, in);
    must_be_inside(d.cseq, in);
    must_be_inside(d.peer, in);
    must_be_inside(d.data, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    with_crlf(in);
    message(in, false);
    message(in, true);
    fields(in);
    return 0;
}
