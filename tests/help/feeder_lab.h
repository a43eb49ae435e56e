/*
 * A feeder under test with one flow and a reader of lines: the fixture of the feeder's unit tests.
 */
#ifndef EW_TESTS_HELP_FEEDER_LAB_H
#define EW_TESTS_HELP_FEEDER_LAB_H

#include "flows/feeder_state.h"
#include "tests/help/stream_lab.h"

enum { LAB_CLIENT_ISN = 1000, LAB_SERVER_ISN = 70000 };

struct lab {
    struct lab_reader reader;
    struct feeder *feeder;
    struct flow flow;
    struct lab_conn conn;
    struct feeder_counts counts;
};

static const enum stream_side C = SIDE_CLIENT, S = SIDE_SERVER;

/* cmocka's: *state is a struct lab. */
int lab_set_up(void **state);
int lab_tear_down(void **state);
#define LAB_TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

/* Begins anew with other tables. */
void lab_restart(struct lab *l, uint32_t streams, uint32_t rooms);

/* Refreshes l->counts. */
void lab_counts(struct lab *l);

/* The side's bytes so far, in all, are text. */
void lab_assert_got(const struct lab *l, enum stream_side side, const char *text);

/* The i-th gap told to the reader. */
void lab_assert_gap(const struct lab *l, unsigned i, enum stream_side side, size_t at,
                    uint32_t missing);

#endif
