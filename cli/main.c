/*
 * The program: which subcommands there are, the options before the subcommand, and who runs.
 */
#include "cli/command.h"
#include "cli/config.h"
#include "cli/help.h"

#include "capture/log.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#ifndef EW_VERSION
#define EW_VERSION "unknown"
#endif

/* clang-format off */
static const struct command commands[] = {
    {.name = "read", .args = "FILE...", .summary = "read captures into the database",
     .about = "Reads captures (pcap, pcapng, - for stdin; several are merged by packet time) and stores what failed and what belongs to it. "
              "A summary goes to stderr.",
     .exits = "0 1 65 66 73 74", .options = ON_READ, .least = 1, .most = -1, .run = read_run,
     .example = "  edgewatch read internal.pcap external.pcap\n"
                "  edgewatch --db night.db read --nat 10.3.0.40=2.2.2.2 edge.pcapng\n"
                "  ssh edge tcpdump -U -w - | edgewatch read -\n"},
    {.name = "import", .args = "FILE...", .summary = "read SIP logs of clients and servers into the database",
     .about = "Reads Lync and Skype for Business logs (client UCCAPI, server SIPStack; plain or gzip, - for stdin) and joins their calls with the "
              "packets that are stored or will be. A summary goes to stderr.",
     .exits = "0 65 66 69 74", .options = ON_IMPORT, .least = 1, .most = -1, .run = import_run,
     .example = "  edgewatch import Communicator-uccapi-0.uccapilog\n"
                "  edgewatch import sipstack-fe01.txt.gz sipstack-edge01.txt.gz\n"},
    {.name = "monitor", .args = "-i IF [-i IF]", .summary = "the same, live from a span port",
     .about = "Listens until SIGINT or SIGTERM. Root is needed to open the interfaces and given up before the first packet is looked at; "
              "the directory of the database must be writable for the account that remains.",
     .exits = "0 69 74 77", .options = ON_MONITOR, .least = 0, .most = 0, .run = monitor_run,
     .example = "  edgewatch --db /var/lib/edgewatch/edgewatch.db monitor -i eth1 -i eth2\n"},
    {.name = "failures", .args = "", .summary = "list what failed",
     .about = "One line per failed connection between a client and its relay, a relay and its peer, or two clients.",
     .exits = "0 1 73 74", .options = ON_FAILURES, .run = list_run,
     .example = "  edgewatch failures --around 10:43\n"
                "  edgewatch failures --user user1 --since yesterday\n"
                "  edgewatch failures --since '2h ago' --verdict refused --format json\n"},
    {.name = "calls", .args = "", .summary = "list calls",
     .about = "One line per call whose signaling was readable.",
     .exits = "0 73 74", .options = ON_CALLS, .run = list_run,
     .example = "  edgewatch calls --user user1 --since yesterday\n"},
    {.name = "allocations", .args = "", .summary = "list relay ports and their clients",
     .about = "One line per relay port that a client asked for.",
     .exits = "0 73 74", .options = ON_ALLOCATIONS, .run = list_run,
     .example = "  edgewatch allocations --addr 10.98.2.1\n"},
    {.name = "health", .args = "", .summary = "list what the sensor saw and lost",
     .about = "One line per interface and minute (ten seconds where something was lost): packets, drops, damage, gaps; and what happened to interfaces and clocks.",
     .exits = "0 73 74", .options = ON_HEALTH, .run = list_run,
     .example = "  edgewatch health --since '1h ago'\n"},
    {.name = "show", .args = "ID", .summary = "tell the story of one failure",
     .about = "Legs, call, candidates, the ladder of signaling and handshake, the verdict with its facts, "
              "and what it may be, with what would settle it.",
     .exits = "0 66 73 74", .options = ON_SHOW, .least = 1, .most = 1, .run = show_run,
     .example = "  edgewatch show 17\n"},
    {.name = "export", .args = "ID -o FILE.pcapng", .summary = "write the packets of one failure to a file",
     .about = "The handshake and ICMP packets that prove the failure, to open in Wireshark.",
     .exits = "0 66 73 74", .options = ON_EXPORT, .least = 1, .most = 1, .run = export_run,
     .example = "  edgewatch export 17 -o failure-17.pcapng\n"},
    {.name = "report", .args = "", .summary = "sum up a day or a night",
     .about = "What failed, to whom, since when, what is new against the seven days before, and whether the sensor was blind. "
              "Without a period: the last 24 hours.",
     .exits = "0 1 73 74", .options = ON_REPORT, .run = report_run,
     .example = "  edgewatch report --last-night\n"
                "  edgewatch report --day yesterday --format json -o report.json\n"},
    {.name = "backup", .args = "FILE", .summary = "copy the database, also while it is written",
     .about = "Makes FILE a copy of the database as it is at one moment. A monitor that writes it need not stop, and does not have to wait. "
              "FILE is whole or not there: the copy takes its name, and the place of an older one, when it is on the disk. A file that is no copy is not replaced.",
     .exits = "0 73 74", .options = ON_BACKUP, .least = 1, .most = 1, .run = backup_run,
     .example = "  edgewatch --db /var/lib/edgewatch/edgewatch.db backup /srv/backup/edgewatch.db\n"},
    {.name = "serve", .args = "", .summary = "show the database in a browser, and as a JSON API",
     .about = "Pages to look at and to search in, and the views as JSON under /api/, until SIGINT or SIGTERM. Read-only, beside a running monitor. "
              "It answers to this machine alone unless --listen names another address; that needs a certificate with its key, and a token "
              "(the password in a browser, Authorization: Bearer for programs).",
     .exits = "0 69 77", .options = ON_SERVE, .least = 0, .most = 0, .run = serve_run,
     .example = "  edgewatch --db /var/lib/edgewatch/edgewatch.db serve\n"
                "  edgewatch serve --listen 192.0.2.7:8443 --cert edge.pem --key edge.key --token-file token\n"
                "  ssh -L 8080:127.0.0.1:8080 edge   # to look at it from elsewhere without any of these\n"},
    {.name = "top", .args = "", .summary = "watch the database of a running monitor in the terminal",
     .about = "Failures as they come, newest first; the partners that fail; the health of the sensor. Enter tells the story of a failure, "
              "or lists the failures of a partner; Tab goes from one list to the other; q ends. At least 80 columns by 24 rows show all of it.",
     .exits = "0 69 74", .options = ON_TOP, .least = 0, .most = 0, .run = top_run,
     .example = "  edgewatch --db /var/lib/edgewatch/edgewatch.db top\n"
                "  ssh -t edge edgewatch top\n"},
    {.name = "sql", .args = "[SQL...]", .summary = "ask the database in SQL",
     .about = "Opens the database in sqlite3(1), read-only. Without SQL it is a session to type in, which begins with a list of the views; "
              "else each argument is run and its rows are printed. edgewatch-schema(5) explains the views, docs/QUERIES.md has twenty "
              "questions to begin with.",
     .exits = "0 64 69 73 74", .options = ON_SQL, .least = 0, .most = -1, .run = sql_run,
     .example = "  edgewatch sql\n"
                "  edgewatch sql 'SELECT verdict, count(*) FROM failures GROUP BY 1'\n"
                "  edgewatch sql --format csv 'SELECT * FROM calls' >calls.csv\n"},
    {.name = "doctor", .args = "IF|FILE...", .summary = "is this span port, or capture, of use?",
     .about = "Looks at interfaces for some seconds, or at captures, with the same engine and no database, and tells what a monitor could see there: "
              "both directions, both sides of the Edge, relays, duplicates, VLANs, tunnels, merged or cut frames, drops, clocks, TLS, disk. "
              "One line per fact with a judgement: ok, look, bad. Exit code 69 if one of them is bad.",
     .exits = "0 65 66 69 73 77", .options = ON_DOCTOR, .least = 1, .most = -1, .run = doctor_run,
     .example = "  edgewatch doctor eth1\n"
                "  edgewatch doctor --seconds 60 eth1 eth2\n"
                "  edgewatch doctor --format json internal.pcap external.pcap\n"},
    {.name = "decode", .args = "TEXT", .summary = "explain an ICEWarn value or a diagnostics header",
     .about = "An ICEWarn value (hexadecimal, with or without 0x) or a whole ms-client-diagnostics, ms-diagnostics or "
              "ms-diagnostics-public header, in plain words.",
     .exits = "0 73", .options = ON_DECODE, .least = 1, .most = -1, .no_config = true, .run = decode_run,
     .example = "  edgewatch decode 0x320\n"
                "  edgewatch decode '24; reason=\"...\";CallerMediaDebug=\"application-sharing:ICEWarn=0x320\"'\n"},
};
/* clang-format on */
enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
    for (unsigned i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS];
    for (unsigned i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = options_nearest(name, names, COMMANDS);
    log_error("unknown command \"%s\"%s%s%s; edgewatch help lists them", name,
              near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
    return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    const struct command *c = argc ? find(argv[0]) : NULL;
    if (argc && !c)
        return unknown_command(argv[0]);
    if (c)
        help_command(stdout, c);
    else
        help_program(stdout, commands, COMMANDS);
    return EXIT_DONE;
}

static int usage(const struct command *c, const char *why)
{
    log_error("%s: %s; edgewatch help %s tells more", c->name, why, c->name);
    return EXIT_USAGE;
}

/* argv[0] is the command's name. */
static int run(const struct command *c, struct settings *s, int argc, char **argv)
{
    char why[CONFIG_TEXT];
    int first;
    if (options_parse(s, c->options, argc, argv, &first, why, sizeof why) != 0)
        return usage(c, why);
    s->mask = c->options;
    argc -= first;
    argv += first;
    if (s->help) {
        help_command(stdout, c);
        return EXIT_DONE;
    }
    if (argc < c->least) {
        snprintf(why, sizeof why, "%.*s is missing", (int)strcspn(c->args, " "), c->args);
        return usage(c, why);
    }
    if (c->most >= 0 && argc > c->most) {
        snprintf(why, sizeof why, "does not know what to do with \"%.200s\"", argv[c->most]);
        return usage(c, why);
    }
    if (!c->no_config && config_load(s, why) != 0) {
        log_error("%s", why);
        return EXIT_CONFIG;
    }
    log_quiet(s->quiet);
    return c->run(c, s, argc, argv);
}

static int dispatch(struct settings *s, int argc, char **argv)
{
    char why[CONFIG_TEXT];
    int first;
    s->words = argc;
    s->word = argv;
    if (options_parse(s, 0, argc, argv, &first, why, sizeof why) != 0) {
        log_error("%s; edgewatch help tells more", why);
        return EXIT_USAGE;
    }
    if (s->version) {
        puts("edgewatch " EW_VERSION);
        return EXIT_DONE;
    }
    if (first == argc) {
        help_program(s->help ? stdout : stderr, commands, COMMANDS);
        return s->help ? EXIT_DONE : EXIT_USAGE;
    }
    argc -= first;
    argv += first;
    if (strcmp(argv[0], "help") == 0)
        return help(argc - 1, argv + 1);
    const struct command *c = find(argv[0]);
    return c ? run(c, s, argc, argv) : unknown_command(argv[0]);
}

int main(int argc, char **argv)
{
    struct settings s = {0};
    setlocale(LC_CTYPE, ""); /* widths of characters in tables; numbers and times stay "C" */
    int code = dispatch(&s, argc, argv);
    settings_free(&s);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        log_error("stdout: cannot be written");
        return EXIT_NO_OUTPUT;
    }
    return code;
}
