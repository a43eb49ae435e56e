/*
 * Generated mess against the known true streams: what comes out of the feeder is what was captured,
 * laid out by sequence number, the first copy of every byte; and the gaps are exactly the holes.
 */
#include "flows/feeder.h"
#include "tests/help/stream_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STREAM = 20000, SEGMENTS = 3 * STREAM, ROUNDS = 60 };

/* How bad it gets. Chances in per cent. */
struct mess {
    unsigned segment; /* largest */
    unsigned late;    /* a segment comes up to so many places late */
    unsigned again, overlap, lies, lost;
};

struct segment {
    enum stream_side side;
    uint32_t at, n;
    bool lie; /* other bytes than the true ones; never the first to tell */
};

static uint8_t truth[2][STREAM];
static struct segment sent[SEGMENTS];
static size_t n_sent;
static uint64_t rng;

static uint32_t below(uint32_t n)
{
    return (uint32_t)(lab_random(&rng) % n);
}

static bool chance(unsigned per_cent)
{
    return below(100) < per_cent;
}

/* ---- what is captured ---- */

static void add(enum stream_side side, uint32_t at, uint32_t n, bool lie)
{
    assert_true(n_sent < SEGMENTS);
    sent[n_sent++] = (struct segment){side, at, n, lie};
}

/* Repetitions and lies about bytes that were captured: n at at, and before them if reach. What was
 * lost is not repeated, since it may be given up by then. */
static void add_old(const struct mess *m, enum stream_side side, uint32_t at, uint32_t n,
                    uint32_t reach)
{
    if (chance(m->again))
        add(side, at, n, false);
    if (chance(m->overlap))
        add(side, at - reach, reach + below(n) + 1, false);
    if (chance(m->lies))
        add(side, at, n, true);
}

static void generate(const struct mess *m)
{
    uint32_t done[2] = {0, 0}, lost_to[2] = {0, 0};
    n_sent = 0;
    for (size_t i = 0; i < STREAM; i++)
        for (int side = 0; side < 2; side++)
            truth[side][i] = (uint8_t)lab_random(&rng);
    while (done[0] < STREAM || done[1] < STREAM) {
        enum stream_side side = below(3) ? SIDE_CLIENT : SIDE_SERVER;
        uint32_t at = done[side], n = 1 + below(m->segment);
        n = n < STREAM - at ? n : STREAM - at;
        if (n == 0)
            continue;
        done[side] += n;
        if (chance(m->lost)) {
            lost_to[side] = done[side];
            continue;
        }
        uint32_t reach = at - lost_to[side] < 10 ? at - lost_to[side] : 10;
        add(side, at, n, false);
        add_old(m, side, at, n, reach);
    }
}

static bool has_lie(size_t from, size_t to)
{
    for (; from <= to; from++)
        if (sent[from].lie)
            return true;
    return false;
}

/* Exchanges segments that are so far apart at most. Lies stay behind what they lie about. */
static void disorder(unsigned late)
{
    for (size_t i = 0, j; late && i + late < n_sent; i = j + 1) {
        j = i + below(late + 1);
        if (has_lie(i, j))
            continue;
        struct segment moved = sent[i];
        sent[i] = sent[j];
        sent[j] = moved;
    }
}

/* ---- the reader: takes as much as it likes ---- */

static struct {
    uint8_t bytes[2][STREAM + 1];
    size_t n[2], left[2];
    size_t missing[2][STREAM + 1]; /* told as a gap behind so many bytes */
    unsigned begun, over;
} got;

static struct stream_take on_data(void *arg, struct stream *s, enum stream_side side,
                                  struct slice avail)
{
    (void)arg;
    got.begun += s->user == NULL;
    s->user = &got;
    size_t fresh = avail.n - got.left[side];
    assert_true(avail.n >= got.left[side] && got.n[side] + fresh <= STREAM);
    memcpy(got.bytes[side] + got.n[side], avail.p + got.left[side], fresh);
    got.n[side] += fresh;
    size_t used = chance(50) ? avail.n : below((uint32_t)avail.n + 1);
    got.left[side] = avail.n - used;
    return (struct stream_take){.used = used};
}

static void on_gap(void *arg, struct stream *s, enum stream_side side, uint32_t missing)
{
    (void)arg, (void)s;
    got.left[side] = 0;
    got.missing[side][got.n[side]] += missing;
}

static void on_over(void *arg, struct stream *s, bool closed)
{
    (void)arg, (void)s, (void)closed;
    got.over++;
}

/* ---- playing and comparing ---- */

static void play(const struct mess *m, uint32_t client_isn, uint32_t server_isn)
{
    struct stream_reader reader = {NULL, on_data, on_gap, on_over};
    const char *why = NULL;
    struct feeder *f = feeder_new(4, 4, &reader, &why);
    assert_non_null(f);
    struct flow flow = lab_flow(client_isn, server_isn);
    struct lab_conn c = lab_connect(f, &flow, client_isn, server_isn);
    uint32_t top[2] = {0, 0};
    uint8_t lie[STREAM];
    memset(lie, 'L', sizeof lie);
    for (size_t i = 0; i < n_sent; i++) {
        const struct segment *s = &sent[i];
        enum stream_side other = s->side == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
        if (s->at + s->n > top[s->side])
            top[s->side] = s->at + s->n;
        const uint8_t *bytes = s->lie ? lie : truth[s->side] + s->at;
        lab_send(&c, s->side, s->at, slice_of(bytes, s->n), m->lost ? top[other] : 0);
        if (m->lost && chance(25))
            lab_ack(&c, other, top[s->side]);
        feeder_advance(f, c.now);
    }
    struct feeder_counts counts;
    feeder_counts(f, &counts);
    assert_int_equal(counts.nids_warnings, 0);
    feeder_free(f);
}

/* Fills want with the captured bytes of a side, and says where and how many are missing. */
static size_t lay_out(enum stream_side side, uint8_t *want, size_t *missing)
{
    static bool seen[STREAM];
    size_t n = 0, hole = 0;
    memset(seen, 0, sizeof seen);
    memset(missing, 0, (STREAM + 1) * sizeof *missing);
    for (size_t i = 0; i < n_sent; i++)
        if (sent[i].side == side)
            memset(seen + sent[i].at, 1, sent[i].n);
    for (size_t i = 0; i < STREAM; i++) {
        if (!seen[i]) {
            hole++;
            continue;
        }
        missing[n] += hole;
        hole = 0;
        want[n++] = truth[side][i];
    }
    return n;
}

static void assert_same(enum stream_side side)
{
    static uint8_t want[STREAM];
    static size_t missing[STREAM + 1];
    size_t n = lay_out(side, want, missing);
    assert_int_equal(got.n[side], n);
    assert_memory_equal(got.bytes[side], want, n);
    assert_memory_equal(got.missing[side], missing, sizeof missing);
}

static void play_rounds(const struct mess *m)
{
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        rng = round * 7919;
        memset(&got, 0, sizeof got);
        generate(m);
        disorder(m->late);
        bool wrap = round % 2;
        play(m, wrap ? 0u - below(STREAM) : below(UINT32_MAX), wrap ? 0u - 1 : below(UINT32_MAX));
        assert_same(SIDE_CLIENT);
        assert_same(SIDE_SERVER);
        assert_int_equal(got.begun, 1);
        assert_int_equal(got.over, 1);
    }
}

static void test_segments_of_all_sizes(void **state)
{
    (void)state;
    play_rounds(&(struct mess){.segment = 1460});
    play_rounds(&(struct mess){.segment = STREAM});
}

static void test_segments_of_one_byte(void **state)
{
    (void)state;
    play_rounds(&(struct mess){.segment = 1, .late = 8, .again = 5});
}

static void test_disorder(void **state)
{
    (void)state;
    play_rounds(&(struct mess){.segment = 1460, .late = 12});
}

static void test_repetition_and_overlap(void **state)
{
    (void)state;
    play_rounds(&(struct mess){.segment = 300, .late = 8, .again = 20, .overlap = 20});
}

static void test_repetition_with_other_bytes(void **state)
{
    (void)state;
    play_rounds(&(struct mess){.segment = 300, .late = 4, .again = 10, .overlap = 10, .lies = 30});
}

static void test_loss(void **state)
{
    (void)state;
    play_rounds(&(struct mess){.segment = 300, .lost = 5});
}

/* Disorder within the few packets that a hole is given to be filled late. */
static void test_everything_at_once(void **state)
{
    (void)state;
    play_rounds(
        &(struct mess){.segment = 200, .late = 2, .again = 5, .overlap = 5, .lies = 5, .lost = 3});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments_of_all_sizes),
        cmocka_unit_test(test_segments_of_one_byte),
        cmocka_unit_test(test_disorder),
        cmocka_unit_test(test_repetition_and_overlap),
        cmocka_unit_test(test_repetition_with_other_bytes),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_everything_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
