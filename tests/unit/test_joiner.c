/*
 * Attempts, calls and allocations joined in any order. Each scene is a set of facts that are told
 * to a joiner one by one; what it says in the end must not depend on the order of telling.
 */
#include "flows/joiner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "flows/findings.h"
#include "flows/limits.h"
#include "flows/wire/framing.h"
#include "flows/wire/sdp.h"
#include "tests/help/facts_lab.h"

enum { FACTS = 7, TOLD = 16, ROW_TEXT = 700 };

/* ---- what the joiner says ---- */

struct said {
    int64_t id;
    char row[ROW_TEXT];
    struct failure f; /* texts are gone */
};
struct story {
    struct joiner *j;
    struct said rows[TOLD];
    unsigned n, linked, aliases;
};

static void row_text(char out[ROW_TEXT], const struct failure *f, const struct finding *list,
                     unsigned n)
{
    char src[ENDPOINT_TEXT], dst[ENDPOINT_TEXT], client[ENDPOINT_TEXT], keys[160];
    char src_public[ADDR_TEXT], dst_public[ADDR_TEXT];
    int used = snprintf(
        out, ROW_TEXT,
        "%s %s %s %s>%s (%s>%s) a%u s%u r%u %c %s %s call=%s %s [%s][%s] client=%s "
        "%016llx",
        leg_name(f->leg), verdict_name(f->verdict), f->info ? "info" : "failure",
        endpoint_text(&f->src, src), endpoint_text(&f->dst, dst),
        addr_text(&f->src_public, src_public), addr_text(&f->dst_public, dst_public), f->attempts,
        f->syns, f->rsts, f->grade, match_keys_text(f->keys, keys), confidence_name(f->confidence),
        f->call_id ? f->call_id : "-", f->medium ? f->medium : "-", f->local_candidate,
        f->remote_candidate, endpoint_text(&f->client, client), (unsigned long long)f->event_id);
    for (unsigned i = 0; i < n; i++)
        used += snprintf(out + used, ROW_TEXT - (size_t)used, " %s", list[i].code);
    assert_true(used < ROW_TEXT);
}

static void on_failure(void *arg, const struct failure *f, const struct finding *list, unsigned n)
{
    struct story *s = arg;
    unsigned i = 0;
    while (i < s->n && s->rows[i].id != f->id)
        i++;
    assert_true(i < TOLD);
    s->n += i == s->n;
    s->rows[i].id = f->id;
    s->rows[i].f = *f;
    row_text(s->rows[i].row, f, list, n);
}

static void on_gone(void *arg, int64_t id)
{
    struct story *s = arg;
    for (unsigned i = 0; i < s->n; i++)
        if (s->rows[i].id == id) {
            s->rows[i] = s->rows[--s->n];
            return;
        }
    fail_msg("withdrawn, but never told");
}

static void on_link(void *arg, uint64_t attempt, int64_t failure)
{
    struct story *s = arg;
    (void)attempt;
    if (failure)
        s->linked++;
    else
        s->linked--;
}

static void on_alias(void *arg, const struct fact_alias *a)
{
    struct story *s = arg;
    (void)a;
    s->aliases++;
}

static void story_begin(struct story *s, const struct joiner_config *c)
{
    struct joiner_hooks hooks = {s, on_failure, on_gone, on_link, on_alias};
    struct joiner_config plain = {
        .sensor = "test", .relay_low = 50000, .relay_high = 59999, .seed = 42};
    *s = (struct story){.j = NULL};
    s->j = joiner_new(c ? c : &plain, &hooks);
    assert_non_null(s->j);
}

static int compare_said(const void *a, const void *b)
{
    return strcmp(((const struct said *)a)->row, ((const struct said *)b)->row);
}

/* ---- facts, told in any order ---- */

enum fact_kind { FACT_NONE, FACT_CALL, FACT_ALLOCATION, FACT_ATTEMPT };

struct fact {
    enum fact_kind kind;
    union {
        struct fact_call *call;
        struct fact_allocation *allocation;
        struct attempt attempt;
    } u;
};

struct world {
    struct call_made call[2];
    struct allocation_made own[3];
    struct fact facts[FACTS];
    unsigned n;
};

static void world_attempt(struct world *w, struct attempt a)
{
    assert_true(w->n < FACTS);
    if (a.verdict == VERDICT_CONNECTED) /* checks run over whatever is negotiated */
        a.peek_out = PEEK_CHECK_REQUEST;
    a.id = w->n + 1;
    w->facts[w->n++] = (struct fact){.kind = FACT_ATTEMPT, .u.attempt = a};
}

static void world_call(struct world *w, int i)
{
    w->call[i].call.id = i + 1;
    w->facts[w->n++] = (struct fact){.kind = FACT_CALL, .u.call = &w->call[i].call};
}

static void world_allocation(struct world *w, int i)
{
    w->own[i].fact.id = i + 1;
    w->facts[w->n++] = (struct fact){.kind = FACT_ALLOCATION, .u.allocation = &w->own[i].fact};
}

static void tell(struct story *s, const struct fact *f)
{
    switch (f->kind) {
    case FACT_CALL:
        joiner_call(s->j, f->u.call);
        break;
    case FACT_ALLOCATION:
        joiner_allocation(s->j, f->u.allocation);
        break;
    case FACT_ATTEMPT:
        joiner_attempt(s->j, &f->u.attempt);
        break;
    case FACT_NONE:
        break;
    }
}

static void end_all(struct story *s, struct world *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        if (w->facts[i].kind == FACT_CALL)
            joiner_call_over(s->j, w->facts[i].u.call);
        if (w->facts[i].kind == FACT_ALLOCATION)
            joiner_allocation_over(s->j, w->facts[i].u.allocation);
    }
}

static void story_end(struct story *s, struct world *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        if (w->facts[i].kind == FACT_CALL)
            joiner_call_forget(s->j, w->facts[i].u.call);
        if (w->facts[i].kind == FACT_ALLOCATION) {
            joiner_allocation_forget(s->j, w->facts[i].u.allocation);
            w->facts[i].u.allocation->wire_addr = ad("");
        }
    }
    joiner_free(s->j);
}

static void tell_in_order(struct story *s, struct world *w, const unsigned order[FACTS],
                          const struct joiner_config *c)
{
    story_begin(s, c);
    for (unsigned i = 0; i < w->n; i++)
        tell(s, &w->facts[order[i]]);
    end_all(s, w);
    qsort(s->rows, s->n, sizeof *s->rows, compare_said);
    story_end(s, w);
}

static bool next_permutation(unsigned *p, unsigned n)
{
    unsigned i = n - 1, k = n - 1;
    while (i > 0 && p[i - 1] >= p[i])
        i--;
    if (i == 0)
        return false;
    while (p[k] <= p[i - 1])
        k--;
    unsigned t = p[k];
    p[k] = p[i - 1];
    p[i - 1] = t;
    for (k = n - 1; i < k; i++, k--) {
        t = p[i];
        p[i] = p[k];
        p[k] = t;
    }
    return true;
}

static void expect_same(const struct story *want, const struct story *got, const struct world *w,
                        const unsigned *order)
{
    char names[64] = "";
    for (unsigned i = 0; i < w->n; i++)
        snprintf(names + 2 * i, 3, "%u ", order[i]);
    bool same = want->n == got->n;
    for (unsigned i = 0; same && i < want->n; i++)
        same = strcmp(want->rows[i].row, got->rows[i].row) == 0;
    if (same)
        return;
    for (unsigned i = 0; i < want->n; i++)
        print_message("in order:  %s\n", want->rows[i].row);
    for (unsigned i = 0; i < got->n; i++)
        print_message("told as %s: %s\n", names, got->rows[i].row);
    fail_msg("the order of telling shows");
}

/* Tells the facts in every order; *first is what was said in the order of the scene. */
static void in_every_order(struct world *w, const struct joiner_config *c, struct story *first)
{
    unsigned order[FACTS];
    struct story *again = calloc(1, sizeof *again);
    assert_non_null(again);
    for (unsigned i = 0; i < FACTS; i++)
        order[i] = i;
    tell_in_order(first, w, order, c);
    while (next_permutation(order, w->n)) {
        tell_in_order(again, w, order, c);
        expect_same(first, again, w, order);
    }
    free(again);
}

static void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
}

/* ---- the federated incident ---- */

static void make_call(struct world *w)
{
    struct call_made *c = &w->call[0];
    call_make(c, "2.2.2.2:58138", "1.1.1.1:50704");
    call_add(c, SIDE_OFFER, CAND_HOST, false, "10.98.2.1:21916");
    call_add(c, SIDE_OFFER, CAND_HOST, false, "10.98.2.1:18574")->transport = CAND_TCP_ACT;
    call_add(c, SIDE_OFFER, CAND_RELAY, false, "2.2.2.2:58138")->related = ep("10.98.2.1:13211");
    call_add(c, SIDE_ANSWER, CAND_HOST, false, "10.26.10.50:50058");
}

static void make_allocation(struct world *w)
{
    allocation_make(&w->own[0], "10.98.2.1:13211", "10.3.0.34:443", "2.2.2.2:58138");
    allocation_send(&w->own[0], "1.1.1.1:50704", 53.067);
}

static void incident_without_signaling_is_grade_b(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_allocation(&w);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row,
                "relay-peer refused failure 10.3.0.40:58138>1.1.1.1:50704 (2.2.2.2>) "
                "a1 s3 r3 B relay-address,alias,send-destination confirmed");
    expect_text(s.rows[0].row, "client=10.98.2.1:13211");
    assert_int_equal(s.linked, 1);
    assert_int_equal(s.aliases, 1);
}

static void incident_with_signaling_alone_is_grade_a(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row,
                "relay-peer refused failure 10.3.0.40:58138>1.1.1.1:50704 (2.2.2.2>) "
                "a1 s3 r3 A alias,candidate,default-address confirmed");
    expect_text(s.rows[0].row, "call=a622d7b9f6464be3a455e6d98ec700b3 applicationsharing "
                               "[relay TCP-PASS 2.2.2.2:58138][default TCP-PASS 1.1.1.1:50704] "
                               "client=10.98.2.1:13211");
}

static void incident_with_both_has_all_keys(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    world_allocation(&w, 0);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row,
                "A relay-address,alias,send-destination,candidate,default-address,rport "
                "confirmed");
    expect_text(s.rows[0].row, "own-outbound-range-blocked far-side-refuses permission-race");
}

/* A connect that works, told beside its pair's failed one. */
static void retry_that_connects_withdraws_the_failure(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    world_allocation(&w, 0);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, attempt_make(0, "10.3.0.40:58138", "1.1.1.1:50704", VERDICT_CONNECTED, 63));
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.linked, 0);
    assert_int_equal(w.call[0].call.outcome, CALL_CONNECTED);
}

static void reverse_direction_that_connects_withdraws_it_too(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_allocation(&w);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, attempt_make(0, "1.1.1.1:50704", "10.3.0.40:58138", VERDICT_CONNECTED, 63));
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 0);
}

/* Refused from both sides: one pair, two attempts, told from the earlier one's side. */
static void both_directions_are_one_pair(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "1.1.1.1:50704", "10.3.0.40:58138", VERDICT_REFUSED, 52));
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row,
                "refused failure 1.1.1.1:50704>10.3.0.40:58138 (>2.2.2.2) a2 s4 r4 A");
    expect_text(s.rows[0].row, "[relay TCP-PASS 2.2.2.2:58138][default TCP-PASS 1.1.1.1:50704]");
    expect_text(s.rows[0].row, " permission-race"); /* our Send came at 53.067 */
}

/* Inside the NAT and outside: the same ISN, other source. */
static void both_sides_of_the_nat_count_once(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    struct attempt outside = attempt_of_incident();
    (void)state;
    make_call(&w);
    make_allocation(&w);
    outside.src = ep("2.2.2.2:58138");
    outside.first += TICK_MS;
    outside.rtt_us -= 1000;
    world_allocation(&w, 0);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, outside);
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "10.3.0.40:58138>1.1.1.1:50704 (2.2.2.2>) a1 s3 r3 A");
    assert_int_equal(s.linked, 2);
}

/* ---- several pairs ---- */

static void failed_pair_beside_a_working_one_is_info(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w,
                  attempt_make(0, "10.98.2.1:18574", "10.26.10.50:50058", VERDICT_CONNECTED, 54));
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "relay-peer refused info");
    assert_int_equal(w.call[0].call.outcome, CALL_CONNECTED);
}

static void data_through_the_relay_makes_the_refused_pair_info(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    allocation_send(&w.own[0], "1.1.1.1:443", 54)->answered = at(55);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "relay-peer refused info");
}

static void answer_through_the_relay_is_a_connection(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_allocation(&w);
    w.own[0].sends[0].answered = at(62);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 0);
}

static void two_failed_pairs_are_two_failures(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    allocation_send(&w.own[0], "10.26.10.50:50058", 53.1);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, attempt_make(0, "10.3.0.40:58138", "10.26.10.50:50058", VERDICT_TIMEOUT, 57));
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 2);
    expect_text(s.rows[0].row, "relay-peer refused failure");
    expect_text(s.rows[1].row, "relay-peer timeout failure");
    assert_int_equal(w.call[0].call.outcome, CALL_FAILED);
}

/* ---- ports are reused ---- */

/* The port belonged to another client's allocation and call before. */
static void lifetime_tells_which_owner_of_a_port(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    call_make(&w.call[1], "2.2.2.2:58138", "1.1.1.1:50704");
    w.call[1].call.call_id = "earlier";
    w.call[1].call.started = at(-600);
    w.call[1].call.answered = at(-590);
    w.call[1].call.ended = at(-300);
    allocation_make(&w.own[1], "10.98.2.9:40000", "10.3.0.34:443", "2.2.2.2:58138");
    allocation_send(&w.own[1], "1.1.1.1:50704", -580);
    w.own[1].fact.started = at(-601);
    w.own[1].fact.ended = at(-300);
    world_call(&w, 0);
    world_call(&w, 1);
    world_allocation(&w, 0);
    world_allocation(&w, 1);
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, NULL, &s);
    bool mine = false;
    for (unsigned i = 0; i < s.n; i++) {
        if (strstr(s.rows[i].row, " refused ")) {
            expect_text(s.rows[i].row, "call=a622d7b9f6464be3a455e6d98ec700b3");
            expect_text(s.rows[i].row, "client=10.98.2.1:13211");
            mine = true;
        }
    }
    assert_true(mine);
}

/* The next owner's allocation began so soon that the slack reaches back over the end of the first.
 */
static void attempt_within_a_lifetime_is_not_the_next_owners(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_allocation(&w);
    w.own[0].fact.ended = at(61);
    allocation_make(&w.own[1], "10.98.2.9:40000", "10.3.0.34:443", "2.2.2.2:58138");
    allocation_send(&w.own[1], "1.1.1.1:50704", 64);
    w.own[1].fact.started = at(62);
    world_allocation(&w, 0);
    world_allocation(&w, 1);
    world_attempt(&w, attempt_of_incident()); /* at 59.456 */
    in_every_order(&w, NULL, &s);
    bool told = false;
    for (unsigned i = 0; i < s.n; i++)
        if (strstr(s.rows[i].row, " refused ")) {
            expect_text(s.rows[i].row, "client=10.98.2.1:13211");
            told = true;
        }
    assert_true(told);
}

static void attempts_after_the_grace_are_strangers(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    struct attempt late = attempt_of_incident();
    (void)state;
    make_allocation(&w);
    w.own[0].fact.ended = at(55);
    late.first = late.last = at(55) + ALLOCATION_GRACE + TICK_S;
    world_allocation(&w, 0);
    world_attempt(&w, late);
    in_every_order(&w, NULL, &s);
    for (unsigned i = 0; i < s.n; i++)
        assert_null(strstr(s.rows[i].row, " refused "));
}

/* ---- aliases ---- */

/* Three ports agree; then a fourth relay's SYN to a peer that nobody named is known by its address.
 */
static void alias_is_trusted_after_three_ports(void **state)
{
    static const char *const relays[] = {"2.2.2.2:58138", "2.2.2.2:58140", "2.2.2.2:58142"};
    static const char *const wires[] = {"10.3.0.40:58138", "10.3.0.40:58140", "10.3.0.40:58142"};
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    for (int i = 0; i < 3; i++) {
        allocation_make(&w.own[i], "10.98.2.1:13211", "10.3.0.34:443", relays[i]);
        w.own[i].fact.client.port = (uint16_t)(13211 + i);
        allocation_send(&w.own[i], "1.1.1.1:50704", 53);
        world_allocation(&w, i);
        world_attempt(&w, attempt_make(0, wires[i], "1.1.1.1:50704", VERDICT_REFUSED, 59 + i));
    }
    world_attempt(&w, attempt_make(0, wires[0], "9.9.9.9:443", VERDICT_TIMEOUT, 70));
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 4);
    expect_text(s.rows[3].row,
                "relay-peer timeout failure 10.3.0.40:58138>9.9.9.9:443 (2.2.2.2>) a1 s1 "
                "r0 B relay-address,alias probable");
}

/* One port that agrees, and a destination that does not: no match. */
static void one_port_without_the_destination_is_nothing(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "10.3.0.40:58138", "9.9.9.9:443", VERDICT_TIMEOUT, 59));
    in_every_order(&w, NULL, &s);
    for (unsigned i = 0; i < s.n; i++)
        assert_null(strstr(s.rows[i].row, "9.9.9.9"));
    assert_int_equal(s.aliases, 0);
}

static void configured_alias_needs_no_learning(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    struct fact_alias nat = {
        .private_addr = ad("10.3.0.40"), .public_addr = ad("2.2.2.2"), .configured = true};
    struct joiner_config c = {.sensor = "test",
                              .aliases = &nat,
                              .n_aliases = 1,
                              .relay_low = 50000,
                              .relay_high = 59999,
                              .seed = 42};
    (void)state;
    make_call(&w);
    world_call(&w, 0);
    world_attempt(&w, attempt_make(0, "10.3.0.40:58138", "9.9.9.9:443", VERDICT_TIMEOUT, 59));
    in_every_order(&w, &c, &s);
    bool told = false;
    for (unsigned i = 0; i < s.n; i++)
        told |= strstr(s.rows[i].row,
                       "timeout failure 10.3.0.40:58138>9.9.9.9:443 (2.2.2.2>) a1 s1 r0 A "
                       "alias,candidate,default-address probable") != NULL;
    assert_true(told);
}

/* ---- strangers ---- */

static void stranger_at_a_relay_port_is_grade_c_at_most(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    world_attempt(&w, attempt_make(0, "198.51.100.66:41000", "2.2.2.2:58138", VERDICT_REFUSED, 59));
    in_every_order(&w, NULL, &s);
    for (unsigned i = 0; i < s.n; i++)
        if (strstr(s.rows[i].row, "198.51.100.66")) {
            assert_int_equal(s.rows[i].f.grade, 'C');
            assert_true(s.rows[i].f.info);
            assert_int_equal(s.rows[i].f.confidence, CONFIDENCE_UNMATCHED);
        }
}

static void strangers_among_themselves_are_nothing(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_allocation(&w);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "198.51.100.66:41000", "192.0.2.80:80", VERDICT_REFUSED, 59));
    in_every_order(&w, NULL, &s);
    for (unsigned i = 0; i < s.n; i++)
        assert_null(strstr(s.rows[i].row, "198.51.100.66"));
}

static void configured_edge_makes_grade_c_a_failure(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    struct addr edge = ad("10.3.0.40");
    struct joiner_config c = {.sensor = "test",
                              .edges = &edge,
                              .n_edges = 1,
                              .relay_low = 50000,
                              .relay_high = 59999,
                              .seed = 42};
    (void)state;
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, &c, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "relay-peer refused failure");
    expect_text(s.rows[0].row, " C  unmatched ");
}

/* ---- clients and their relay ---- */

static void refused_client_is_a_client_leg(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    allocation_make(&w.own[0], "10.98.2.9:40000", "10.3.0.34:443", "2.2.2.2:58200");
    w.own[0].sends[0].answered = at(51);
    world_allocation(&w, 0); /* tells where relay control is */
    world_attempt(&w, attempt_make(0, "10.98.2.1:13211", "10.3.0.34:443", VERDICT_TIMEOUT, 49));
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "client-relay timeout failure 10.98.2.1:13211>10.3.0.34:443");
}

static void trouble_above_tcp_has_no_attempt(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    struct relay_trouble t = {.client = ep("10.98.2.1:13211"),
                              .server = ep("10.3.0.34:443"),
                              .first = at(49),
                              .last = at(49.1),
                              .verdict = VERDICT_PSEUDOTLS_FAIL,
                              .instead = TLS_CERTIFICATE};
    (void)state;
    story_begin(&s, NULL);
    joiner_relay_trouble(s.j, &t);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.linked, 0);
    assert_int_equal(s.rows[0].f.attempt, 0);
    expect_text(s.rows[0].row, "client-relay pseudotls-fail failure 10.98.2.1:13211>10.3.0.34:443");
    expect_text(s.rows[0].row, "tls-inspection-on-443");
    story_end(&s, &w);
}

static void served_client_makes_its_failure_info(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    allocation_make(&w.own[0], "10.98.2.1:13300", "10.3.0.34:443", "2.2.2.2:58200");
    world_allocation(&w, 0);
    world_attempt(&w, attempt_make(0, "10.98.2.1:13211", "10.3.0.34:443", VERDICT_TIMEOUT, 49));
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "client-relay timeout info 10.98.2.1:13211>10.3.0.34:443");
}

static void refused_allocation_is_told_once(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    allocation_make(&w.own[0], "10.98.2.1:13211", "10.3.0.34:443", "");
    w.own[0].fact.granted = false;
    w.own[0].fact.error_code = 486;
    world_allocation(&w, 0);
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "client-relay alloc-fail failure 10.98.2.1:13211>10.3.0.34:443");
    expect_text(s.rows[0].row, "relay-quota");
}

/* An allocation that did not come about, in four shades; only a refusal or heard silence failed. */
static void allocation_without_a_refusal_is_no_failure(void **state)
{
    static const struct {
        uint32_t requests;
        uint16_t error;
        bool heard;
        size_t rows;
    } shades[] = {
        {0, 0, true, 0},   /* older than the capture: never seen asking */
        {2, 300, true, 0}, /* sent on to another server */
        {2, 0, false, 0},  /* the server's side is not in the capture */
        {2, 0, true, 1},   /* the server is heard, and does not answer */
    };
    (void)state;
    for (size_t i = 0; i < sizeof shades / sizeof *shades; i++) {
        struct world w = {.n = 0};
        struct story s;
        allocation_make(&w.own[0], "10.98.2.1:13211", "10.3.0.34:443", "");
        w.own[0].fact.granted = false;
        w.own[0].fact.requests = shades[i].requests;
        w.own[0].fact.error_code = shades[i].error;
        w.own[0].fact.heard = shades[i].heard;
        world_allocation(&w, 0);
        in_every_order(&w, NULL, &s);
        assert_int_equal(s.n, shades[i].rows);
    }
}

/* ---- what was never seen ---- */

static void no_send_within_half_a_minute_is_not_tried(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    w.own[0].fact.n_sends = 0;
    w.call[0].call.ended = at(90); /* 37 s after its answer */
    world_call(&w, 0);
    world_allocation(&w, 0);
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "not-tried info");
    expect_text(s.rows[0].row, "client-endpoint-filter");
}

static void sends_without_packets_outside_are_unseen_once(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    w.call[0].call.ended = at(90);
    world_call(&w, 0);
    world_allocation(&w, 0);
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "relay-peer unseen info");
    expect_text(s.rows[0].row, "sensor-blind");
}

static void failure_leaves_nothing_unseen(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    w.call[0].call.ended = at(90);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    in_every_order(&w, NULL, &s);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "refused failure");
}

/* ---- facts that change ---- */

static void late_diagnostics_bring_a_finding(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    world_call(&w, 0);
    world_attempt(&w, attempt_of_incident());
    story_begin(&s, NULL);
    tell(&s, &w.facts[0]);
    tell(&s, &w.facts[1]);
    assert_int_equal(s.n, 1);
    assert_null(strstr(s.rows[0].row, "conflict-with-endpoint"));
    call_diag(&w.call[0], at(95), 51004, "caller",
              "51004;reason=\"x\";CallerMediaDebug=\"application-sharing:ICEWarn=0x0\"");
    joiner_call(s.j, &w.call[0].call);
    assert_int_equal(s.n, 1);
    expect_text(s.rows[0].row, "conflict-with-endpoint");
    story_end(&s, &w);
}

static void same_facts_again_say_nothing_new(void **state)
{
    struct world w = {.n = 0};
    struct story s;
    (void)state;
    make_call(&w);
    make_allocation(&w);
    world_call(&w, 0);
    world_allocation(&w, 0);
    world_attempt(&w, attempt_of_incident());
    story_begin(&s, NULL);
    for (unsigned i = 0; i < w.n; i++)
        tell(&s, &w.facts[i]);
    assert_int_equal(s.n, 1);
    s.rows[0].row[0] = 0; /* would be written again */
    joiner_call(s.j, &w.call[0].call);
    joiner_allocation(s.j, &w.own[0].fact);
    assert_int_equal(s.rows[0].row[0], 0);
    story_end(&s, &w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(incident_without_signaling_is_grade_b),
        cmocka_unit_test(incident_with_signaling_alone_is_grade_a),
        cmocka_unit_test(incident_with_both_has_all_keys),
        cmocka_unit_test(retry_that_connects_withdraws_the_failure),
        cmocka_unit_test(reverse_direction_that_connects_withdraws_it_too),
        cmocka_unit_test(both_directions_are_one_pair),
        cmocka_unit_test(both_sides_of_the_nat_count_once),
        cmocka_unit_test(failed_pair_beside_a_working_one_is_info),
        cmocka_unit_test(data_through_the_relay_makes_the_refused_pair_info),
        cmocka_unit_test(answer_through_the_relay_is_a_connection),
        cmocka_unit_test(two_failed_pairs_are_two_failures),
        cmocka_unit_test(lifetime_tells_which_owner_of_a_port),
        cmocka_unit_test(attempt_within_a_lifetime_is_not_the_next_owners),
        cmocka_unit_test(attempts_after_the_grace_are_strangers),
        cmocka_unit_test(alias_is_trusted_after_three_ports),
        cmocka_unit_test(one_port_without_the_destination_is_nothing),
        cmocka_unit_test(configured_alias_needs_no_learning),
        cmocka_unit_test(stranger_at_a_relay_port_is_grade_c_at_most),
        cmocka_unit_test(strangers_among_themselves_are_nothing),
        cmocka_unit_test(configured_edge_makes_grade_c_a_failure),
        cmocka_unit_test(refused_client_is_a_client_leg),
        cmocka_unit_test(trouble_above_tcp_has_no_attempt),
        cmocka_unit_test(served_client_makes_its_failure_info),
        cmocka_unit_test(refused_allocation_is_told_once),
        cmocka_unit_test(allocation_without_a_refusal_is_no_failure),
        cmocka_unit_test(no_send_within_half_a_minute_is_not_tried),
        cmocka_unit_test(sends_without_packets_outside_are_unseen_once),
        cmocka_unit_test(failure_leaves_nothing_unseen),
        cmocka_unit_test(late_diagnostics_bring_a_finding),
        cmocka_unit_test(same_facts_again_say_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
