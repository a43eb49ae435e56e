/* Attempts, their packets, and which failure they belong to, into rows. */
#include "storage/store_inner.h"

const char *store_proto(uint8_t proto)
{
    return proto == PROTO_UDP ? "UDP" : "TCP";
}

bool store_evidence_row(struct store *s, struct binds *b, const struct batch_row *held)
{
    const struct record_attempt *r = held->record;
    struct text *list = &s->json[0], *bytes = &s->bytes;
    list->n = bytes->n = 0;
    for (unsigned i = 0; i < r->n; i++) {
        const struct evidence *ev = &r->evidence[i];
        const int64_t item[] = {ev->time / TICK_US, ev->iface, ev->linktype,
                                ev->caplen,         ev->len,   (int64_t)bytes->n};
        for (unsigned k = 0; k < sizeof item / sizeof *item; k++) {
            text_put(list, k ? "," : i ? ",[" : "[[");
            text_int(list, item[k]);
        }
        text_char(list, ']');
        text_raw(bytes, (const char *)ev->bytes, ev->caplen);
    }
    text_char(list, ']');
    bind_int(b, held->row);
    bind_int(b, s->run);
    bind_int(b, r->n);
    bind_chars(b, list->p, list->n);
    bind_bytes(b, bytes->p, bytes->n);
    return !list->failed && !bytes->failed;
}

bool store_attempt_row(struct store *s, struct binds *b, const struct batch_row *held)
{
    const struct attempt *a = &((const struct record_attempt *)held->record)->attempt;
    bind_int(b, held->row);
    bind_int(b, s->run);
    bind_nonzero(b, held->failure);
    bind_endpoint(b, &a->src);
    bind_endpoint(b, &a->dst);
    bind_word(b, store_proto(a->proto));
    bind_int(b, a->isn);
    bind_word(b, verdict_name((enum verdict)a->verdict));
    bind_word(b, quality_name((enum quality)a->quality));
    bind_int(b, a->peek_out | a->peek_in << 4);
    bind_int(b, a->wanted);
    bind_int(b, a->syns);
    bind_int(b, a->synacks);
    bind_int(b, a->rsts);
    bind_tick(b, a->first);
    bind_tick(b, a->last);
    bind_known(b, a->rtt_us);
    bind_known(b, a->answer_ttl);
    bind_known(b, a->answer_ipid);
    bind_known(b, a->icmp_type);
    bind_known(b, a->icmp_code);
    bind_addr(b, &a->icmp_from);
    bind_int(b, (int64_t)a->bytes_out);
    bind_int(b, (int64_t)a->bytes_in);
    bind_int(b, a->concurrency);
    return true;
}

bool store_link_row(struct store *s, struct binds *b, const struct batch_row *held)
{
    bind_int(b, held->row);
    bind_int(b, s->run);
    bind_nonzero(b, held->failure);
    return true;
}

/* The joiner links an attempt just before it hands it on: then the row is written with its failure
 * at once, unless an earlier link of it waits, too. */
static int64_t take_link(struct store *s, int64_t attempt)
{
    struct batch *links = &s->batch[BATCH_LINK];
    const struct batch_row *last = links->n ? &links->list[links->n - 1] : NULL;
    if (!last || last->row != attempt || !last->failure)
        return 0;
    for (const struct batch_row *r = links->list; r < last; r++)
        if (r->row == attempt)
            return 0;
    links->n--;
    return last->failure;
}

int store_attempt(struct store *s, const struct record_attempt *r)
{
    struct batch *attempts = &s->batch[BATCH_ATTEMPT];
    int64_t row = ids_row(&s->ids, &s->db, IDS_ATTEMPT, (int64_t)r->attempt.id);
    if (row < 0)
        return -1;
    int64_t failure = take_link(s, row);
    if (store_hold(s, BATCH_ATTEMPT, row, r))
        return -1;
    attempts->list[attempts->n - 1].failure = failure;
    /* evidence is for what failed */
    return r->attempt.verdict == VERDICT_CONNECTED || !r->n ? 0
                                                            : store_hold(s, BATCH_EVIDENCE, row, r);
}

/* What has no attempt of its own (trouble above TCP) has no link either. */
int store_link(struct store *s, const struct record_link *r)
{
    struct batch *links = &s->batch[BATCH_LINK];
    int64_t attempt = store_row_of(s, IDS_ATTEMPT, (int64_t)r->attempt);
    int64_t failure = store_row_of(s, IDS_FAILURE, r->failure);
    if (attempt < 0 || failure < 0)
        return -1;
    if (!attempt)
        return 0;
    if (store_hold(s, BATCH_LINK, attempt, NULL))
        return -1;
    links->list[links->n - 1].failure = failure;
    return 0;
}
