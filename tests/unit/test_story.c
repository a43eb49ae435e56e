/*
 * The story of the first field report: what it must tell (P§8), and what it must not claim (P§7.4).
 */
#include "report/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/help/flat.h"
#include "tests/help/sample_db.h"

static char path[SAMPLE_PATH];
static struct query_db *db;
static char *story; /* at 80 columns */

static char *tell(unsigned width)
{
    struct story_facts f;
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    struct prose p = {.out = out, .width = width};
    assert_int_equal(story_load(db, 1, &f), STORY_OK);
    story_print(&f, &p, "edgewatch --db x.db");
    story_unload(&f);
    fclose(out);
    return text;
}

static int make(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    sample_make(path);
    db = sample_open(path);
    story = tell(80);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    free(story);
    query_close(db);
    sample_remove(path);
    return 0;
}

static void has(const char *want)
{
    if (!strstr(story, want))
        fail_msg("\"%s\" is missing in:\n%s", want, story);
}

static void says(const char *words)
{
    if (!flat_has(story, words))
        fail_msg("\"%s\" is missing in:\n%s", words, story);
}

static void both_legs_and_the_alias_are_named(void **state)
{
    (void)state;
    has("10.98.2.1:13211 -> 10.3.0.34:443, TCP: relay port allocated");
    has("relay port 2.2.2.2:58138, seen on the wire at 10.3.0.40");
    has("10.3.0.40:58138 -> 1.1.1.1:50704, TCP: refused");
    has("10.3.0.40 = 2.2.2.2 (learned, 1 port agreed)");
}

static void the_call_is_told(void **state)
{
    (void)state;
    says("a622d7b9f6464be3a455e6d98ec700b3");
    has("application sharing, user1@contoso.com to user2@fabrikam.com");
    has("after 3.715 s, status 200");
}

static void candidates_of_both_sides_with_the_tried_pair(void **state)
{
    (void)state;
    says("offer host TCP-PASS 10.98.2.1:21916 1,2");
    says("* offer relay TCP-PASS 2.2.2.2:58138 10.98.2.1:13211 1");
    says("answer host TCP-PASS 10.26.10.50:50058 1");
    says("* answer default TCP-PASS 1.1.1.1:50704");
    has("relay TCP-PASS 2.2.2.2:58138 -> default TCP-PASS 1.1.1.1:50704");
}

static void every_request_and_reset_has_its_own_time(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "  10:43:59.456    +6.389 s  |                        |---- SYN 3074395695 ---->|\n",
        "  10:43:59.499      +43 ms  |                        |<------ RST, ACK --------|\n",
        "  10:44:00.002     +503 ms  |                        |------- SYN again ------>|\n",
        "  10:44:00.044      +42 ms  |                        |<------ RST, ACK --------|\n",
        "  10:44:00.548     +504 ms  |                        |------- SYN again ------>|\n",
        "  10:44:00.590      +42 ms  |                        |<------ RST, ACK --------|\n"};
    const char *at = story;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        has(lines[i]);
        assert_true(strstr(story, lines[i]) >= at); /* in this order */
        at = strstr(story, lines[i]);
    }
    has("|------- Allocate ------>|");
    has("|<--- granted 58138 -----|");
    has("|--- Send to the peer -->|");
    has("INVITE, offer");
    has("200, answer");
}

static void the_facts_of_the_verdict(void **state)
{
    (void)state;
    says("3 SYN with one sequence number (3074395695): 1 attempt, 3");
    has("answered after   43, 42, 42 ms");
    has("their TTL        115, 115, 115; IP id 0, 0, 0");
    says("Each of 3 SYNs was answered by RST.");
    says("confirmed, by relay-address, alias, rport");
}

static void the_endpoint_is_quoted_and_explained(void **state)
{
    (void)state;
    says("the callee: 51007 Callee media connectivity diagnosis info");
    says("10.166.24.59:8541, relay 1.1.1.1:50704, on the Internet");
    says("checks had not run yet");
}

static void hypotheses_come_with_what_would_settle_them(void **state)
{
    (void)state;
    has("none of them proven");
    has("1. own-outbound-range-blocked, possible");
    has("against       42 ms");
    has("would settle  a capture outside the firewall");
    has("2. far-side-refuses, possible");
    has("edgewatch --db x.db export 1 -o failure-1.pcapng");
}

static void the_origin_of_the_resets_stays_open(void **state)
{
    (void)state;
    says("The far host, a firewall in front of it, or one of our own can write");
    assert_null(strstr(story, "remote refused"));
    assert_null(strstr(story, "peer refused"));
    assert_null(strstr(story, "refused by"));
}

static void lines_fit_the_page(void **state)
{
    (void)state;
    char *wide = tell(120);
    const char *texts[] = {story, wide};
    static const size_t most[] = {80, 120};
    for (size_t i = 0; i < 2; i++)
        for (const char *p = texts[i]; *p;) {
            size_t n = strcspn(p, "\n");
            if (n > most[i])
                fail_msg("%zu columns: %.*s", n, (int)n, p);
            p += n + (p[n] == '\n');
        }
    free(wide);
}

static void an_unknown_id_is_no_story(void **state)
{
    (void)state;
    struct story_facts f;
    assert_int_equal(story_load(db, 4711, &f), STORY_NO_ID);
}

static void the_story_as_json_has_all_its_parts(void **state)
{
    (void)state;
    struct story_facts f;
    static const char *const parts[] = {"failure",     "call",     "allocation",
                                        "alias",       "attempts", "candidates",
                                        "diagnostics", "findings", "sends"};
    assert_int_equal(story_load(db, 1, &f), STORY_OK);
    json_t *all = story_json(&f);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        json_t *part = json_object_get(all, parts[i]);
        if (!part || (json_is_array(part) && json_array_size(part) == 0))
            fail_msg("%s is missing", parts[i]);
    }
    json_decref(all);
    story_unload(&f);
}

/* ---- the page ---- */

static char *page(void)
{
    struct story_facts f;
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    assert_int_equal(story_load(db, 1, &f), STORY_OK);
    story_html(&f, out, "edgewatch --db <x>.db");
    story_unload(&f);
    fclose(out);
    return text;
}

static void page_has(const char *const want[])
{
    char *text = page();
    for (; *want; want++)
        if (!strstr(text, *want))
            fail_msg("\"%s\" is missing in:\n%s", *want, text);
    free(text);
}

static void the_page_has_the_sections_of_the_text(void **state)
{
    (void)state;
    page_has((const char *const[]){
        "<h1>The TCP connection from the relay to its peer was refused: 10.3.0.40:58138 -&gt; "
        "1.1.1.1:50704.</h1>",
        "<h2>Legs</h2>", "<h2>Call</h2>", "<h2>Candidates</h2>", "<h2>What happened</h2>",
        "<h2>What the endpoints claimed</h2>", "<h2>Verdict</h2>",
        "<pre>edgewatch --db &lt;x&gt;.db export 1 -o failure-1.pcapng</pre>",
        "<dt>alias</dt><dd>10.3.0.40 = 2.2.2.2 (learned, 1 port agreed)</dd>", NULL});
}

static void the_page_marks_the_tried_pair(void **state)
{
    (void)state;
    page_has((const char *const[]){
        "<tr class=\"tried\"><td>tried</td><td><bdi>offer</bdi></td><td><bdi>relay</bdi></td>"
        "<td><bdi>TCP-PASS</bdi></td><td class=\"mono\"><bdi>2.2.2.2:58138</bdi></td>",
        "<tr><td></td><td><bdi>offer</bdi></td><td><bdi>host</bdi></td>", NULL});
}

/* Client, Edge inside, Edge outside, peer; each packet with its time and its distance. */
static void the_page_draws_the_ladder(void **state)
{
    (void)state;
    page_has((const char *const[]){
        ">Edge, inside</text>", ">Edge, outside</text>", ">10:43:59.456</text>", ">+43 ms</text>",
        "Edge, outside to user2@fabrikam.com: SYN 3074395695.",
        "10:44:00.590 user2@fabrikam.com to Edge, outside: RST, ACK.", NULL});
}

static void a_wide_page_of_text_shows_both_sides_of_the_edge(void **state)
{
    (void)state;
    char *text = tell(120);
    if (!strstr(text, "Edge, inside") || !strstr(text, "Edge, outside"))
        fail_msg("no such lanes in:\n%s", text);
    free(text);
}

static void claims_stand_beside_the_wire(void **state)
{
    (void)state;
    says("the wire 10.3.0.40:58138 -> 1.1.1.1:50704, refused: 3 requests, 3 resets");
}

static void findings_name_whom_to_ask_and_what_to_check(void **state)
{
    (void)state;
    says("ask own firewall team");
    says("check Outbound rule of the A/V Edge's outer address: allow TCP from source ports "
         "50000-59999 to any address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_legs_and_the_alias_are_named),
        cmocka_unit_test(the_call_is_told),
        cmocka_unit_test(candidates_of_both_sides_with_the_tried_pair),
        cmocka_unit_test(every_request_and_reset_has_its_own_time),
        cmocka_unit_test(the_facts_of_the_verdict),
        cmocka_unit_test(the_endpoint_is_quoted_and_explained),
        cmocka_unit_test(hypotheses_come_with_what_would_settle_them),
        cmocka_unit_test(the_origin_of_the_resets_stays_open),
        cmocka_unit_test(lines_fit_the_page),
        cmocka_unit_test(an_unknown_id_is_no_story),
        cmocka_unit_test(the_page_has_the_sections_of_the_text),
        cmocka_unit_test(the_page_marks_the_tried_pair),
        cmocka_unit_test(the_page_draws_the_ladder),
        cmocka_unit_test(a_wide_page_of_text_shows_both_sides_of_the_edge),
        cmocka_unit_test(claims_stand_beside_the_wire),
        cmocka_unit_test(findings_name_whom_to_ask_and_what_to_check),
        cmocka_unit_test(the_story_as_json_has_all_its_parts),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
