/* What is told in whatever order, again, or taken back: the last word stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/writer.h"
#include "tests/help/facts_make.h"

#define SAYS(sql, want) assert_string_equal(facts_sql(*state, sql), want)

static void a_link_may_come_before_its_attempt(void **state)
{
    struct writer *w = facts_run(*state, "s");
    struct attempt a = facts_attempt();
    writer_failure(w, facts_failure(), facts_finding(), 1);
    writer_attempt_failure(w, 1, 1);
    writer_attempt_failure(w, 2, 1); /* never stored itself */
    writer_attempt(w, &a, NULL, 0);
    a.bytes_in = 7;
    writer_attempt(w, &a, NULL, 0);
    facts_close(w);
    SAYS("SELECT count(*) || ' ' || failure_id || ' ' || bytes_in FROM attempts", "1 1 7");
    SAYS("SELECT count(*) FROM attempt", "1");
}

static void put_attempt(struct writer *w, uint64_t id, uint64_t bytes_in)
{
    struct attempt a = facts_attempt();
    a.id = id;
    a.bytes_in = bytes_in;
    writer_attempt(w, &a, NULL, 0);
}

/* Whatever stands between them, and however many are held back at once. */
static void of_several_links_the_last_counts(void **state)
{
    enum { MANY = 1000 };
    struct writer *w = facts_run(*state, "s");
    struct failure second = *facts_failure();
    second.id = 2;
    second.event_id++;
    writer_failure(w, facts_failure(), NULL, 0);
    writer_failure(w, &second, NULL, 0);
    writer_attempt_failure(w, 1, 1);
    writer_attempt_failure(w, 1, 2);
    put_attempt(w, 1, 0);
    writer_attempt_failure(w, 2, 2);
    writer_attempt_failure(w, 2, 0);
    put_attempt(w, 2, 0);
    put_attempt(w, 3, 0);
    writer_attempt_failure(w, 3, 1);
    put_attempt(w, 3, 5);
    writer_attempt_failure(w, 4, 1);
    put_attempt(w, 4, 0);
    writer_attempt_failure(w, 4, 0);
    put_attempt(w, 4, 6);
    for (unsigned i = 5; i < MANY; i++) {
        writer_attempt_failure(w, i, 1);
        put_attempt(w, i, 1);
        writer_attempt_failure(w, i, i % 3);
    }
    for (unsigned i = 5; i < MANY; i++)
        put_attempt(w, i, 2);
    facts_close(w);
    SAYS("SELECT group_concat(id || ' ' || ifnull(failure_id, 'none') || ' ' || bytes_in) FROM"
         " (SELECT * FROM attempts WHERE id < 5 ORDER BY id)",
         "1 2 0,2 none 0,3 1 5,4 none 6");
    SAYS("SELECT sum(ifnull(failure_id, 0) <> id % 3 OR bytes_in <> 2) || ' ' || count(*) FROM"
         " attempts WHERE id > 4",
         "0 995");
}

static void a_record_that_comes_again_replaces_the_earlier(void **state)
{
    struct writer *w = facts_run(*state, "s");
    struct finding two[2] = {*facts_finding(), *facts_finding()};
    struct failure *f = facts_failure();
    struct fact_call *c = facts_call();
    two[1].code = "silent-drop";
    writer_failure(w, f, two, 2);
    f->info = true;
    writer_failure(w, f, two + 1, 1);
    writer_call(w, c);
    c->status = 487;
    writer_call(w, c);
    facts_close(w);
    SAYS("SELECT count(*) || ' ' || severity FROM failures", "1 info");
    SAYS("SELECT group_concat(code) FROM findings WHERE scope = 'failure:1'", "silent-drop");
    SAYS("SELECT count(*) || ' ' || status FROM calls", "1 487");
}

/* Held back until a transaction ends or they are too many, and told again on either side of that.
 */
static void calls_may_end_in_any_order(void **state)
{
    enum { N = 400, LONG = 40000 };
    struct writer *w = facts_run(*state, "s");
    struct fact_call c = {.call_id = "c", .ended = TICK_NONE, .answered = TICK_NONE};
    char *conversation = calloc(1, LONG + 1);
    assert_non_null(conversation);
    c.conversation_id = memset(conversation, 'x', LONG);
    for (int round = 0; round < 3; round++)
        for (int i = N; i > 0; i--) {
            c.id = i * 7 % (N + 1); /* each once: 401 is prime */
            c.started = FACTS_START + c.id * TICK_S;
            c.status = round * 100 + (int)c.id % 100;
            if (round == 0 || c.id % 3 == round - 1)
                writer_call(w, &c);
        }
    facts_close(w);
    free(conversation);
    SAYS("SELECT count(*) || ' ' || count(DISTINCT started) || ' ' || max(id) || ' ' ||"
         " min(length(conversation_id)) FROM calls",
         "400 400 400 40000");
    SAYS("SELECT count(*) FROM calls WHERE status % 100 = id % 100 AND"
         " status / 100 = CASE id % 3 WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 0 END",
         "399"); /* a status of 0 is none: that of 200 */
}

static void a_withdrawn_failure_leaves_nothing(void **state)
{
    struct writer *w = facts_run(*state, "s");
    struct attempt a = facts_attempt();
    writer_attempt(w, &a, NULL, 0);
    writer_failure(w, facts_failure(), facts_finding(), 1);
    writer_attempt_failure(w, 1, 1);
    writer_attempt_failure(w, 1, 0);
    writer_failure_gone(w, 1);
    facts_close(w);
    SAYS("SELECT (SELECT count(*) FROM failures) + (SELECT count(*) FROM findings WHERE scope LIKE"
         " 'failure:%')",
         "0");
    SAYS("SELECT count(*) || ' ' || ifnull(failure_id, 'none') FROM attempts", "1 none");
}

/* More than wait at once, told twice and partly withdrawn while they wait and after; held against
 * what a reader of the calls would note down. */
static void of_thousands_told_again_the_last_word_stands(void **state)
{
    enum { N = 9000, FAR = 4500 };
    static uint8_t said[N + 1]; /* findings of the last telling */
    struct writer *w = facts_run(*state, "s");
    struct finding two[2] = {*facts_finding(), *facts_finding()};
    struct failure f = *facts_failure();
    two[1].code = "silent-drop";
    for (int i = 1; i <= N; i++) {
        int again = i > FAR ? i - FAR : i, gone = i % 20 ? i : i / 2;
        f.id = i;
        f.event_id = (uint64_t)i;
        f.info = false;
        writer_failure(w, &f, two, 2);
        said[i] = 2;
        f.id = again;
        f.event_id = (uint64_t)again;
        f.info = true;
        writer_failure(w, &f, two + 1, 1);
        said[again] = 1;
        if (i % 10 == 0) {
            writer_failure_gone(w, gone);
            said[gone] = 0;
        }
    }
    facts_close(w);
    int count[3] = {0}, sum[3] = {0};
    char want[96];
    for (int i = 1; i <= N; i++) {
        count[said[i]]++;
        sum[said[i]] += i;
    }
    snprintf(want, sizeof want, "%d %d %d %d", count[2], sum[2], count[1], sum[1]);
    SAYS("SELECT sum(severity = 'failure') || ' ' || sum((severity = 'failure') * id) || ' ' ||"
         " sum(severity = 'info') || ' ' || sum((severity = 'info') * id) FROM failures",
         want);
    snprintf(want, sizeof want, "%d", 2 * count[2] + count[1]);
    SAYS("SELECT count(*) FROM findings WHERE scope LIKE 'failure:%'", want);
    SAYS("SELECT count(*) FROM findings WHERE scope LIKE 'failure:%' AND substr(scope, 9) NOT IN"
         " (SELECT id FROM failures)",
         "0");
}

int main(void)
{
#define ON_DATABASE(test) cmocka_unit_test_setup_teardown(test, facts_begin, facts_end)
    const struct CMUnitTest tests[] = {
        ON_DATABASE(a_link_may_come_before_its_attempt),
        ON_DATABASE(of_several_links_the_last_counts),
        ON_DATABASE(a_record_that_comes_again_replaces_the_earlier),
        ON_DATABASE(calls_may_end_in_any_order),
        ON_DATABASE(a_withdrawn_failure_leaves_nothing),
        ON_DATABASE(of_thousands_told_again_the_last_word_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
