/* Commands for failures: how they are split, and what becomes of ones that work, fail or are stuck.
 */
#include "cli/runner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/test_runner.XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    char cmd[64];
    (void)state;
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    return system(cmd);
}

static void words_of_commands(void **state)
{
    static const struct {
        const char *text, *want; /* words joined by |, NULL: refused */
    } cases[] = {
        {"/bin/a", "/bin/a"},
        {"  /bin/a \t b  ", "/bin/a|b"},
        {"/bin/a 'b c' \"d e\"", "/bin/a|b c|d e"},
        {"/bin/a b'c d'e", "/bin/a|bc de"},
        {"/bin/a ''", "/bin/a|"},
        {"/bin/a \"\" b", "/bin/a||b"},
        {"/bin/a b\\ c", "/bin/a|b c"},
        {"/bin/a \"b\\\"c\"", "/bin/a|b\"c"},
        {"/bin/a 'b\\c'", "/bin/a|b\\c"},
        {"/bin/a \"it's\"", "/bin/a|it's"},
        {"/bin/a $HOME *;rm>x`y`", "/bin/a|$HOME|*;rm>x`y`"},
        {"/bin/a 'b", NULL},
        {"/bin/a \"b", NULL},
        {"/bin/a b\\", NULL},
        {"", NULL},
        {"   ", NULL},
        {"a b", NULL},
        {"./a", NULL},
        {"/a 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *words[RUNNER_WORDS + 1], joined[256] = "", *copy = strdup(cases[i].text);
        const char *wrong = runner_check(cases[i].text);
        if (!wrong != (cases[i].want != NULL))
            fail_msg("%s: %s", cases[i].text, wrong ? wrong : "taken");
        int n = runner_split(copy, words);
        for (int k = 0; k < n && !wrong; k++) {
            strcat(joined, k ? "|" : "");
            strcat(joined, words[k]);
        }
        if (!wrong) {
            assert_string_equal(joined, cases[i].want);
            assert_null(words[n]);
        }
        free(copy);
    }
}

static const char *script(const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *out = fopen(path, "w");
    fprintf(out, "#!/bin/sh\n%s\n", text);
    fchmod(fileno(out), 0755);
    fclose(out);
    return path;
}

static struct runner *runner_of(const char *command)
{
    char why[256];
    struct runner *r = runner_new(&(struct runner_config){.command = command}, why, sizeof why);
    assert_non_null(r);
    return r;
}

static long size_of(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *in = fopen(path, "r");
    if (!in)
        return -1;
    fseek(in, 0, SEEK_END);
    long n = ftell(in);
    fclose(in);
    return n;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void each_command_gets_its_json(void **state)
{
    char text[256];
    (void)state;
    snprintf(text, sizeof text, "cat >>%s/got", dir);
    struct runner *r = runner_of(script("cat", text));
    for (int i = 0; i < 5; i++)
        assert_true(runner_send(r, "{\"id\":1}\n", 9));
    runner_free(r); /* lets it finish */
    assert_int_equal(size_of("got"), 45);
}

static void what_fails_or_reads_nothing_holds_nothing_up(void **state)
{
    static char large[40000];
    char text[256];
    (void)state;
    memset(large, 'x', sizeof large);
    snprintf(text, sizeof text, "echo ran >>%s/ran; exec 0<&-; exit 3", dir);
    struct runner *r = runner_of(script("fails", text));
    for (int i = 0; i < 3; i++)
        assert_true(runner_send(r, large, sizeof large));
    double began = seconds();
    runner_free(r);
    assert_true(seconds() - began < 4);
    assert_int_equal(size_of("ran"), 12);
    r = runner_of("/nowhere/at/all");
    assert_true(runner_send(r, "{}", 2));
    runner_free(r);
}

static void one_that_is_stuck_blocks_nobody(void **state)
{
    static char large[40000];
    (void)state;
    memset(large, 'x', sizeof large);
    struct runner *r = runner_of("/bin/sleep 1000");
    double began = seconds();
    unsigned taken = 0;
    for (int i = 0; i < 100; i++)
        taken += runner_send(r, large, sizeof large);
    assert_true(seconds() - began < 1);
    assert_in_range(taken, 1, 50); /* the queue is bounded */
    began = seconds();
    runner_free(r);
    assert_true(seconds() - began < 9);
}

static void what_is_too_large_is_refused(void **state)
{
    static char large[RUNNER_MESSAGE + 1];
    (void)state;
    struct runner *r = runner_of("/bin/true");
    assert_false(runner_send(r, large, sizeof large));
    runner_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_commands),
        cmocka_unit_test(each_command_gets_its_json),
        cmocka_unit_test(what_fails_or_reads_nothing_holds_nothing_up),
        cmocka_unit_test(one_that_is_stuck_blocks_nobody),
        cmocka_unit_test(what_is_too_large_is_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
