/* Evidence packets out of the database, through the decoder of the capture side. */
#include "report/evidence.h"

#include "report/row.h"

#include <stdio.h>
#include <stdlib.h>

static void tcp_label(uint8_t flags, char out[EVIDENCE_LABEL])
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = {{TCP_SYN, "SYN"}, {TCP_RST, "RST"}, {TCP_FIN, "FIN"}, {TCP_ACK, "ACK"}};
    size_t n = 0;
    out[0] = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flags & names[i].bit)
            n +=
                (size_t)snprintf(out + n, EVIDENCE_LABEL - n, "%s%s", n ? ", " : "", names[i].name);
}

static void udp_label(struct slice payload, char out[EVIDENCE_LABEL])
{
    struct cursor c = cursor_on(payload);
    uint16_t type;
    if (!get_u16(&c, &type) || type & 0xc000) {
        snprintf(out, EVIDENCE_LABEL, "UDP, %zu bytes", payload.n);
        return;
    }
    static const char *const classes[] = {"request", "indication", "answer", "error"};
    unsigned class = (type >> 7 & 2) | (type >> 4 & 1);
    const char *method = (type & 0x3eef) == 1   ? "check"
                         : (type & 0x3eef) == 3 ? "Allocate"
                         : (type & 0x3eef) == 4 ? "Refresh"
                                                : "STUN";
    snprintf(out, EVIDENCE_LABEL, "%s %s", method, classes[class]);
}

static void decode(const struct raw_packet *raw, struct evidence_packet *e)
{
    struct packet p;
    struct fragment frag;
    if (frame_decode(raw, &p, &frag) != FRAME_PACKET)
        return;
    e->readable = true;
    e->src = p.src;
    e->dst = p.dst;
    e->proto = p.proto;
    e->flags = p.flags;
    e->ttl = p.ttl;
    e->seq = p.seq;
    e->ip_id = addr_is_v4(&p.src.addr) ? p.ip_id : -1;
    e->icmp = p.proto == PROTO_ICMP || p.proto == PROTO_ICMP6;
    e->icmp_type = p.icmp_type;
    e->icmp_code = p.icmp_code;
    if (e->icmp)
        snprintf(e->label, sizeof e->label, "ICMP %u/%u", p.icmp_type, p.icmp_code);
    else if (p.proto == PROTO_TCP)
        tcp_label(p.flags, e->label);
    else
        udp_label(p.payload, e->label);
}

static void take(struct rows *r, struct evidence_packet *e)
{
    *e = (struct evidence_packet){.time = row_tick(r, "seen"),
                                  .attempt = row_int(r, "attempt_id", 0)};
    size_t n = 0;
    int column = rows_find(r, "bytes");
    struct raw_packet raw = {.time = e->time,
                             .len = (uint32_t)row_int(r, "len", 0),
                             .linktype = (uint16_t)row_int(r, "linktype", 0)};
    raw.data = column < 0 ? NULL : rows_blob(r, column, &n);
    raw.caplen = (uint32_t)n;
    if (raw.data)
        decode(&raw, e);
}

static int by_time(const void *a, const void *b)
{
    const struct evidence_packet *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

static int append(struct evidence_packet **list, size_t *n, size_t *room, struct rows *r)
{
    if (*n == *room) {
        size_t more = *room ? 2 * *room : 16;
        struct evidence_packet *grown = realloc(*list, more * sizeof **list);
        if (!grown)
            return -1;
        *list = grown;
        *room = more;
    }
    take(r, &(*list)[(*n)++]);
    return 0;
}

int64_t evidence_load(struct query_db *db, int64_t failure, struct evidence_packet **out)
{
    struct query_filter f = {.since = TICK_NONE, .until = TICK_NONE, .failure_id = failure};
    struct rows *r = query_view(db, VIEW_PACKETS, &f);
    struct evidence_packet *list = NULL;
    size_t n = 0, room = 0;
    int got = r ? 1 : -1;
    while (got == 1 && (got = rows_next(r)) == 1)
        if (append(&list, &n, &room, r) != 0)
            got = -1;
    rows_close(r);
    if (got < 0) {
        free(list);
        return -1;
    }
    if (n)
        qsort(list, n, sizeof *list, by_time);
    *out = list;
    return (int64_t)n;
}
