/* SIP as datagram and as stream: slices inside, sizes that add up, resync that moves on. */
#include "flows/wire/sip.h"
#include "tests/fuzz/inside.h"

static void check(const struct sip_msg *m, struct slice in)
{
    const struct slice all[] = {
        m->method_text, m->uri,         m->reason,           m->call_id,
        m->from,        m->to,          sip_uri_of(m->from), sip_uri_of(m->to),
        m->from_tag,    m->to_tag,      m->contact,          m->user_agent,
        m->head,        m->body,        m->conversation_id,  m->location,
        m->compression, m->content_type};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        must_be_inside(all[i], in);
    for (unsigned i = 0; i < m->n_diag; i++) {
        must_be_inside(m->diag[i].name, m->head);
        must_be_inside(m->diag[i].value, m->head);
    }
    must(m->size > 0 && m->size <= in.n);
    must(m->request == (m->status == 0) && m->content_length >= -2);
    must(m->body.p + m->body.n == in.p + m->size);

    struct slice value;
    size_t pos = 0, last = 0;
    while (sip_header_next(m, "Via", &pos, &value)) {
        must_be_inside(value, m->head);
        must(pos > last);
        last = pos;
    }
}

/* A head that is read while its body is not all there gives the message that all of it gives. */
static void body_later(const struct sip_msg *whole, struct slice in)
{
    struct sip_msg m;
    size_t front = whole->size - whole->body.n;
    uint8_t *early = malloc(front);
    must(early != NULL);
    memcpy(early, in.p, front);
    must(sip_head(slice_of(early, front), false, &m, NULL) == WIRE_OK && m.size == front);
    must((sip_body(slice_of(early, front), false, &m, NULL) == WIRE_OK) == (whole->body.n == 0));
    free(early);
    if (!whole->body.n)
        return;
    must(sip_body(in, false, &m, NULL) == WIRE_OK && m.size == whole->size);
    must(m.from_tag.p == whole->from_tag.p && m.to.p == whole->to.p && m.body.p == whole->body.p);
    check(&m, in);
}

static void walk_stream(struct slice in)
{
    struct sip_msg m;
    struct wire_fault fault = {0};
    while (in.n) {
        enum wire_result r = sip_parse(in, false, &m, &fault);
        size_t step = m.size;
        if (r == WIRE_MORE) {
            must(fault.offset > in.n);
            return;
        }
        if (r == WIRE_OK) {
            check(&m, in);
            body_later(&m, in);
            must(sip_looks_like(in) == WIRE_OK);
        } else {
            must(fault.reason && fault.offset <= in.n);
            step = sip_resync(in, 1);
            must(step >= 1 && step <= in.n);
        }
        in = slice_of(in.p + step, in.n - step);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);
    struct sip_msg m;
    enum wire_result r = sip_parse(in, true, &m, NULL);
    must(r != WIRE_MORE);
    if (r == WIRE_OK)
        check(&m, in);
    walk_stream(in);
    must_be_inside(sip_uri_of(in), in);
    return 0;
}
