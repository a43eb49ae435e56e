/* The verdict with the facts that it rests on, and what it does not say. */
#include "report/clock.h"
#include "report/field.h"
#include "report/story.h"

#include <inttypes.h>
#include <string.h>

enum { HANG = 19, LIST = 160 };

/* What the packets leave open, per verdict (P§7.4). */
static const struct {
    const char *verdict, *words;
} cautions[] = {
    {"refused", "The far host, a firewall in front of it, or one of our own can write the source "
                "address of a reset."},
    {"timeout", "Silence does not tell on which side of the way the requests or their answers were "
                "dropped."},
    {"single-syn", "One request without an answer is thin evidence: the program may have given up, "
                   "or the sensor may have missed the rest."},
    {"unreachable", "The ICMP message names its sender; whether that device decided it or only "
                    "passed it on is not visible here."},
    {"half-open", "The answer was seen, its acknowledgment was not: it was lost, or it took a way "
                  "that this sensor does not see."},
    {"reset-after-open", "Who cut the connection is not determined by this trace."},
    {"unseen", "A missing packet here may be one that the sensor missed."},
};

static void put_caution(const char *verdict, const struct prose *p)
{
    for (size_t i = 0; i < sizeof cautions / sizeof *cautions; i++)
        if (strcmp(cautions[i].verdict, verdict) == 0)
            prose_item(p, 2, HANG, "open", "%s", cautions[i].words);
}

static bool is_request(const struct evidence_packet *e)
{
    return e->readable && e->proto == PROTO_TCP && (e->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool is_answer(const struct evidence_packet *e)
{
    return e->readable && e->proto == PROTO_TCP &&
           ((e->flags & TCP_RST) || (e->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK));
}

/* "43, 42, 42 ms": each answer after the request before it. "" without evidence. */
static void put_delays(const struct story_facts *f, const struct prose *p)
{
    char list[LIST] = "";
    size_t n = 0;
    tick_t asked = TICK_NONE;
    for (size_t i = 0; i < f->n_packets && n < sizeof list - 8; i++) {
        const struct evidence_packet *e = &f->packets[i];
        if (is_request(e))
            asked = e->time;
        if (!is_answer(e) || asked == TICK_NONE)
            continue;
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%" PRId64, n ? ", " : "",
                              (e->time - asked + TICK_MS / 2) / TICK_MS);
        asked = TICK_NONE;
    }
    if (n)
        prose_item(p, 2, HANG, "answered after", "%s ms", list);
}

/* TTL and IP id of the answers: they hint at who wrote them, and prove nothing. */
static void put_marks(const struct story_facts *f, const struct prose *p)
{
    char ttl[LIST] = "", id[LIST] = "";
    size_t n = 0, m = 0;
    for (size_t i = 0; i < f->n_packets && n < sizeof ttl - 8 && m < sizeof id - 8; i++) {
        const struct evidence_packet *e = &f->packets[i];
        if (!is_answer(e))
            continue;
        n += (size_t)snprintf(ttl + n, sizeof ttl - n, "%s%u", n ? ", " : "", e->ttl);
        if (e->ip_id >= 0)
            m += (size_t)snprintf(id + m, sizeof id - m, "%s%d", m ? ", " : "", e->ip_id);
    }
    if (n)
        prose_item(p, 2, HANG, "their TTL", "%s%s%s", ttl, m ? "; IP id " : "", id);
}

static bool all_resets(const struct story_facts *f)
{
    const json_t *x = f->failure;
    return strcmp(field_text(x, "verdict"), "refused") == 0 && field_int(x, "rsts", 0) > 0;
}

static void put_counts(const struct story_facts *f, const struct prose *p)
{
    const json_t *x = f->failure;
    int64_t attempts = field_int(x, "attempts", 0), syns = field_int(x, "syns", 0);
    int64_t rsts = field_int(x, "rsts", 0);
    bool tcp = strcmp(field_text(x, "transport"), "TCP") == 0;
    if (attempts == 0 || syns == 0)
        return;
    char isn[64] = "";
    if (tcp && attempts == 1 && syns > 1 && json_array_size(f->attempts) == 1)
        snprintf(isn, sizeof isn, " with one sequence number (%" PRId64 ")",
                 field_int(json_array_get(f->attempts, 0), "isn", 0));
    char resets[64] = "";
    if (rsts)
        snprintf(resets, sizeof resets, ", %" PRId64 " reset%s", rsts, rsts == 1 ? "" : "s");
    prose_item(p, 2, HANG, "seen", "%" PRId64 " %s%s%s: %" PRId64 " attempt%s%s%s", syns,
               tcp ? "SYN" : "check", syns == 1 || tcp ? "" : "s", isn, attempts,
               attempts == 1 ? "" : "s", resets,
               all_resets(f) && rsts >= syns ? ", every request answered" : "");
}

static void put_icmp(const struct story_facts *f, const struct prose *p)
{
    const json_t *x = f->failure;
    if (!json_is_integer(json_object_get(x, "icmp_type")))
        return;
    prose_item(p, 2, HANG, "ICMP", "type %" PRId64 " code %" PRId64 " from %s",
               field_int(x, "icmp_type", 0), field_int(x, "icmp_code", 0),
               field_text(x, "icmp_from"));
}

/* From the first request to the last answer, if there was more than one packet. */
static void put_span(const struct story_facts *f, const struct prose *p)
{
    char from[TICK_TEXT], to[TICK_TEXT], span[CLOCK_SPAN];
    tick_t first = field_tick(f->failure, "first_seen"), last = field_tick(f->failure, "last_seen");
    if (first != TICK_NONE && last > first)
        prose_item(p, 2, HANG, "from, to", "%s, %s (%s)", clock_time(first, from),
                   clock_time(last, to), clock_span(last - first, span));
}

/* "confirmed, by relay-address, alias": the list of the database, with blanks to break lines at. */
static void put_match(const struct story_facts *f, const struct prose *p)
{
    char list[2 * LIST] = "";
    size_t n = 0;
    for (const char *key = field_text(f->failure, "matched_by"); *key && n < sizeof list;) {
        size_t length = strcspn(key, ",");
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%.*s", n ? ", " : ", by ", (int)length,
                              key);
        key += length + (key[length] == ',');
    }
    prose_item(p, 2, HANG, "match", "%s%s", field_text(f->failure, "confidence"), list);
}

static const char *grade_words(const char *grade)
{
    if (*grade == 'A')
        return "A: the offer or answer of the call is known";
    return *grade == 'B' ? "B: the relay protocol named both ends" : "C: address and ports only";
}

void story_verdict(const struct story_facts *f, const struct prose *p)
{
    const json_t *x = f->failure;
    const char *verdict = field_text(x, "verdict"), *explanation = field_text(x, "explanation");
    prose_heading(p, "VERDICT");
    prose_item(p, 2, HANG, verdict, "%s", explanation);
    put_counts(f, p);
    put_span(f, p);
    put_delays(f, p);
    put_marks(f, p);
    put_icmp(f, p);
    put_caution(verdict, p);
    prose_item(p, 2, HANG, "grade", "%s", grade_words(field_text(x, "grade")));
    put_match(f, p);
    prose_item(p, 2, HANG, "capture", "%s", field_text(x, "capture_quality"));
}
