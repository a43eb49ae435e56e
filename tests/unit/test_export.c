/* Export: pcapng that our own reader and, where it is installed, tshark take as it is. */
#include "report/export.h"

#include "capture/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/help/sample_db.h"

static char path[SAMPLE_PATH], file[64];

static int make(void **state)
{
    (void)state;
    sample_make(path);
    struct query_db *db = sample_open(path);
    snprintf(file, sizeof file, "/tmp/edgewatch-export-XXXXXX");
    int fd = mkstemp(file);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!out || export_packets(db, 1, out) != 6 || fclose(out) != 0)
        abort();
    query_close(db);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    unlink(file);
    sample_remove(path);
    return 0;
}

static void our_reader_gets_every_packet_back(void **state)
{
    (void)state;
    static const tick_t at_us[] = {456000, 499000, 1002000, 1044000, 1548000, 1590000};
    struct sources *s = sources_new(&(struct source_options){0});
    struct raw_packet raw;
    tick_t idle;
    assert_int_equal(sources_add_file(s, file), SOURCE_OK);
    assert_int_equal(sources_start(s), 0);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sources_next(s, 1000, &raw, &idle), PULL_PACKET);
        assert_int_equal(raw.time, INT64_C(1355136239) * TICK_S + at_us[i] * TICK_US);
        assert_int_equal(raw.linktype, 1);
        assert_int_equal(raw.caplen, 54);
        assert_int_equal(raw.len, 60);
        assert_int_equal(raw.data[5], i % 2 ? 2 : 1); /* destination address */
        assert_string_equal(sources_iface_name(s, raw.iface), "outside");
    }
    assert_int_equal(sources_next(s, 1000, &raw, &idle), PULL_END);
    const char *text;
    assert_int_equal(sources_damage(s, &text), SOURCE_OK);
    sources_free(s);
}

static void tshark_reads_the_same(void **state)
{
    (void)state;
    char command[256], line[128];
    if (system("command -v tshark >/dev/null 2>&1") != 0) {
        print_message("tshark is not installed\n");
        skip();
    }
    snprintf(command, sizeof command,
             "tshark -r %s -T fields -e frame.time_epoch -e frame.len -e frame.interface_name "
             "-e tcp.flags -e tcp.seq_raw 2>/dev/null",
             file);
    FILE *in = popen(command, "r");
    assert_non_null(in);
    assert_non_null(fgets(line, sizeof line, in));
    assert_string_equal(line, "1355136239.456000000\t60\toutside\t0x0002\t3074395695\n");
    assert_non_null(fgets(line, sizeof line, in));
    assert_string_equal(line, "1355136239.499000000\t60\toutside\t0x0014\t0\n");
    int lines = 2;
    while (fgets(line, sizeof line, in))
        lines++;
    assert_int_equal(lines, 6);
    assert_int_equal(pclose(in), 0);
}

static void a_failure_without_packets_is_an_empty_file(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    struct query_db *db = sample_open(path);
    assert_int_equal(export_packets(db, 4711, out), 0);
    query_close(db);
    fclose(out);
    assert_memory_equal(text, "\x0a\x0d\x0d\x0a", 4);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_reader_gets_every_packet_back),
        cmocka_unit_test(tshark_reads_the_same),
        cmocka_unit_test(a_failure_without_packets_is_an_empty_file),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
