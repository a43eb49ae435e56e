/* Evidence slots: kept, cut, freed, overwritten; checked against a naive model as well. */
#include "flows/evidence.h"

#include "flows/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static uint8_t frame[1500];

static struct raw_packet raw(tick_t time, uint32_t caplen)
{
    return (struct raw_packet){.time = time,
                               .data = frame,
                               .caplen = caplen,
                               .len = caplen + 7,
                               .linktype = 1,
                               .iface = 3};
}

static void packets_come_back_oldest_first_and_cut(void **state)
{
    struct evidence_store *s = evidence_new(16);
    struct evidence out[ATTEMPT_MAX_EVIDENCE];
    uint32_t handle = 0;
    (void)state;
    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (uint8_t)i;
    struct raw_packet small = raw(5, 60), large = raw(6, 1500);
    evidence_keep(s, &handle, &small);
    evidence_keep(s, &handle, &large);
    assert_int_equal(evidence_list(s, handle, out), 2);
    assert_true(out[0].time == 5 && out[1].time == 6);
    assert_int_equal(out[0].caplen, 60);
    assert_int_equal(out[0].len, 67);
    assert_int_equal(out[0].linktype, 1);
    assert_int_equal(out[0].iface, 3);
    assert_int_equal(out[1].caplen, LIMIT_EVIDENCE_BYTES);
    assert_memory_equal(out[1].bytes, frame, LIMIT_EVIDENCE_BYTES);
    assert_int_equal(evidence_list(s, 0, out), 0);
    evidence_free(s);
}

static void the_first_packets_of_an_attempt_stay(void **state)
{
    struct evidence_store *s = evidence_new(64);
    struct evidence out[ATTEMPT_MAX_EVIDENCE];
    uint32_t handle = 0;
    (void)state;
    for (int i = 0; i < 30; i++) {
        struct raw_packet p = raw(i, 60);
        evidence_keep(s, &handle, &p);
    }
    assert_int_equal(evidence_list(s, handle, out), LIMIT_EVIDENCE_PER_ATTEMPT);
    assert_int_equal(out[0].time, 0);
    assert_int_equal(evidence_lost(s), 0);
    evidence_free(s);
}

enum { SLOTS = 40, ATTEMPTS = 12 };

/* The same by simple means: a list of (attempt, time), the oldest falls out. */
struct model {
    int owner[SLOTS];
    tick_t time[SLOTS];
    unsigned n, lost;
};

static void model_keep(struct model *m, int owner, tick_t time, unsigned room)
{
    if (m->n == room) {
        memmove(m->owner, m->owner + 1, (room - 1) * sizeof *m->owner);
        memmove(m->time, m->time + 1, (room - 1) * sizeof *m->time);
        m->n--;
        m->lost++;
    }
    m->owner[m->n] = owner;
    m->time[m->n++] = time;
}

static void model_drop(struct model *m, int owner)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < m->n; i++)
        if (m->owner[i] != owner) {
            m->owner[kept] = m->owner[i];
            m->time[kept++] = m->time[i];
        }
    m->n = kept;
}

static unsigned model_list(const struct model *m, int owner, tick_t out[SLOTS])
{
    unsigned n = 0;
    for (unsigned i = 0; i < m->n; i++)
        if (m->owner[i] == owner)
            out[n++] = m->time[i];
    return n;
}

static void random_use_agrees_with_the_model(void **state)
{
    struct evidence_store *s = evidence_new(SLOTS);
    struct evidence out[ATTEMPT_MAX_EVIDENCE];
    struct model m = {0};
    uint32_t handle[ATTEMPTS] = {0};
    unsigned ever[ATTEMPTS] = {0}; /* kept since the last drop, overwritten ones included */
    tick_t times[SLOTS];
    (void)state;
    srandom(4);
    for (int step = 0; step < 200000; step++) {
        int who = (int)(random() % ATTEMPTS);
        unsigned n = model_list(&m, who, times);
        if (random() % 8 == 0) {
            evidence_drop(s, &handle[who]);
            model_drop(&m, who);
            assert_int_equal(handle[who], 0);
            ever[who] = 0;
        } else {
            struct raw_packet p = raw(step, 60);
            evidence_keep(s, &handle[who], &p);
            ever[who] = n ? ever[who] : 0;
            if (ever[who]++ < LIMIT_EVIDENCE_PER_ATTEMPT)
                model_keep(&m, who, step, SLOTS - 1);
        }
        n = model_list(&m, who, times);
        assert_int_equal(evidence_list(s, handle[who], out), n);
        for (unsigned i = 0; i < n; i++)
            assert_true(out[i].time == times[i]);
    }
    assert_true(m.lost > 1000);
    assert_int_equal(evidence_lost(s), m.lost);
    evidence_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_come_back_oldest_first_and_cut),
        cmocka_unit_test(the_first_packets_of_an_attempt_stay),
        cmocka_unit_test(random_use_agrees_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
