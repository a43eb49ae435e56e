/* The configuration file: keys are options, the command line wins, errors name file and line. */
#include "cli/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct file {
    struct settings s;
    char path[64], why[CONFIG_TEXT];
};

static void write_file(struct file *f, const char *text)
{
    snprintf(f->path, sizeof f->path, "/tmp/edgewatch-conf-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int read_text(struct file *f, const char *text)
{
    *f = (struct file){0};
    write_file(f, text);
    int bad = config_read(f->path, &f->s, f->why);
    unlink(f->path);
    return bad;
}

static void every_section_has_its_options(void **state)
{
    (void)state;
    struct file f;
    static const char text[] =
        "; a comment\n"
        "[sensor]\nsensor = edge1\n"
        "[capture]\ninterface = eth1\ninterface = eth2\nfilter = not port 22\n"
        "ring-mb = 128\nno-promisc = yes\nuser = daemon\n"
        "[edge]\nnat = 10.3.0.40=2.2.2.2\nedge = 2.2.2.2\n"
        "relay-ports = 40000-49999\nsip-port = 6060\nturn-port = 80\n"
        "[tls]\nkeylog = keys.log\n"
        "[storage]\ndb = /var/lib/edgewatch/edgewatch.db\n"
        "[report]\nnight = 20:00-06:00\n"
        "[privacy]\n";
    if (read_text(&f, text) != 0)
        fail_msg("%s", f.why);
    assert_string_equal(f.s.sensor, "edge1");
    assert_int_equal(f.s.interface.n, 2);
    assert_string_equal(f.s.interface.items[1], "eth2");
    assert_string_equal(f.s.filter, "not port 22");
    assert_int_equal(f.s.ring_mb, 128);
    assert_true(f.s.no_promisc);
    assert_string_equal(f.s.account, "daemon");
    assert_string_equal(f.s.nat.items[0], "10.3.0.40=2.2.2.2");
    assert_string_equal(f.s.relay_ports, "40000-49999");
    assert_string_equal(f.s.sip_port.items[0], "6060");
    assert_string_equal(f.s.turn_port.items[0], "80");
    assert_string_equal(f.s.keylog.items[0], "keys.log");
    assert_string_equal(f.s.db, "/var/lib/edgewatch/edgewatch.db");
    assert_string_equal(f.s.night, "20:00-06:00");
    settings_free(&f.s);
}

static void wrong(const char *text, int line, const char *because)
{
    struct file f;
    char where[96];
    if (read_text(&f, text) == 0)
        fail_msg("accepted:\n%s", text);
    snprintf(where, sizeof where, "%s:%d: ", f.path, line);
    if (!strstr(f.why, because) || strncmp(f.why, where, strlen(where)) != 0)
        fail_msg("told \"%s\", want \"%s%s\"", f.why, where, because);
    settings_free(&f.s);
}

static void errors_name_file_and_line(void **state)
{
    (void)state;
    wrong("[sensor]\nsensr = x\n", 2,
          "unknown key \"sensr\" in section [sensor] (did you mean sensor?)");
    wrong("[edge]\n\nnat = nonsense\n", 3, "nat: \"nonsense\" is not PRIVATE=PUBLIC");
    wrong("[edge]\nfilter = ip\n", 2, "\"filter\" belongs into section [capture]");
    wrong("[egde]\nnat = 1.1.1.1=2.2.2.2\n", 2, "unknown section [egde]");
    wrong("nat = 1.1.1.1=2.2.2.2\n", 1, "unknown section []");
    wrong("[edge]\nnonsense\n", 2, "neither [section] nor key = value");
    wrong("[capture]\nno-promisc = perhaps\n", 2, "is neither yes nor no");
    wrong("[capture]\nring-mb = 0\n", 2, "out of range");
    wrong("[report]\nformat = json\n", 2, "unknown key \"format\"");
}

static void the_command_line_wins_over_the_file(void **state)
{
    (void)state;
    struct file f = {0};
    char words[][10] = {"read", "--sensor", "mine", "--edge", "1.1.1.1", "x.pcap"};
    char *argv[] = {words[0], words[1], words[2], words[3], words[4], words[5]};
    int first;
    write_file(&f, "[sensor]\nsensor = theirs\n[edge]\nedge = 2.2.2.2\nrelay-ports = 1-2\n");
    assert_int_equal(options_parse(&f.s, ON_READ, 6, argv, &first, f.why, sizeof f.why), 0);
    assert_int_equal(config_read(f.path, &f.s, f.why), 0);
    assert_string_equal(f.s.sensor, "mine");
    assert_string_equal(f.s.relay_ports, "1-2");
    assert_int_equal(f.s.edge.n, 2); /* repeatable ones join */
    unlink(f.path);
    settings_free(&f.s);
}

static void a_long_filter_is_read_whole_or_refused(void **state)
{
    (void)state;
    struct file f;
    char text[2048] = "[capture]\nfilter = ", filter[1200] = "";
    for (int i = 0; i < 60; i++)
        strcat(filter, i ? " or host 10.1.1.1" : "host 10.1.1.1");
    strcat(text, filter);
    strcat(text, "\n");
    bool whole = read_text(&f, text) == 0;
    bool same = whole && strcmp(f.s.filter, filter) == 0;
    bool refused = !whole && strstr(f.why, ":2: the line is longer than");
    settings_free(&f.s);
    assert_true(same || refused);
}

static void the_database_has_an_order_of_sources(void **state)
{
    (void)state;
    struct file f = {0};
    write_file(&f, "[storage]\ndb = configured.db\n");
    setenv("EDGEWATCH_CONFIG", f.path, 1);
    unsetenv("EDGEWATCH_DB");
    assert_int_equal(config_load(&f.s, f.why), 0);
    assert_string_equal(f.s.db, "configured.db");
    settings_free(&f.s);
    setenv("EDGEWATCH_DB", "environment.db", 1);
    assert_int_equal(config_load(&f.s, f.why), 0);
    assert_string_equal(f.s.db, "environment.db");
    settings_free(&f.s);
    unlink(f.path);
    assert_int_equal(config_load(&f.s, f.why), -1); /* named, but gone */
    assert_non_null(strstr(f.why, "No such file"));
    unsetenv("EDGEWATCH_CONFIG");
    unsetenv("EDGEWATCH_DB");
    settings_free(&f.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_section_has_its_options),
        cmocka_unit_test(errors_name_file_and_line),
        cmocka_unit_test(the_command_line_wins_over_the_file),
        cmocka_unit_test(a_long_filter_is_read_whole_or_refused),
        cmocka_unit_test(the_database_has_an_order_of_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
