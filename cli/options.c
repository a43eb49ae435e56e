/* The table of options, and reading them from the command line. */
#include "cli/options.h"

#include "cli/check.h"
#include "cli/mail.h"
#include "cli/runner.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct settings, field)
#define CAPTURE (ON_READ | ON_MONITOR | ON_DOCTOR)
#define LIVE (ON_MONITOR | ON_DOCTOR)
#define LISTS (ON_FAILURES | ON_CALLS | ON_ALLOCATIONS | ON_HEALTH)

/* clang-format off */
const struct option_def option_defs[] = {
    {"db", 0, OPTION_TEXT, ON_ALL, "storage", "FILE", "the database (else $EDGEWATCH_DB, the configured one, ./edgewatch.db)", AT(db), check_file, 0, 0},
    {"config", 0, OPTION_TEXT, ON_ALL, NULL, "FILE", "the configuration (else $EDGEWATCH_CONFIG, /etc/edgewatch/edgewatch.conf)", AT(config), NULL, 0, 0},
    {"quiet", 'q', OPTION_FLAG, ON_ALL, NULL, NULL, "no progress and no remarks on stderr, only errors and warnings", AT(quiet), NULL, 0, 0},
    {"help", 'h', OPTION_FLAG, ON_ALL, NULL, NULL, "this text", AT(help), NULL, 0, 0},
    {"version", 'V', OPTION_FLAG, ON_ALL, NULL, NULL, "the version", AT(version), NULL, 0, 0},

    {"interface", 'i', OPTION_LIST, ON_MONITOR, "capture", "IF", "listen on this interface (repeatable)", AT(interface), NULL, 0, 0},
    {"filter", 0, OPTION_TEXT, CAPTURE, "capture", "BPF", "only packets that match, in the words of pcap-filter(7)", AT(filter), NULL, 0, 0},
    {"ring-mb", 0, OPTION_NUMBER, LIVE, "capture", "N", "kernel buffer of each interface, MB (128)", AT(ring_mb), NULL, 1, 4096},
    {"snaplen", 0, OPTION_NUMBER, LIVE, "capture", "N", "bytes kept of each packet (262144)", AT(snaplen), NULL, 64, 262144},
    {"no-promisc", 0, OPTION_FLAG, LIVE, "capture", NULL, "only packets for this machine", AT(no_promisc), NULL, 0, 0},
    {"user", 0, OPTION_TEXT, LIVE, "capture", "NAME", "account to run as once the interfaces are open (edgewatch, else nobody)", AT(account), NULL, 0, 0},
    {"no-shed", 0, OPTION_FLAG, LIVE, "capture", NULL, "have every packet whole; else what is no signaling, TURN or STUN is cut to 128 bytes by the kernel", AT(no_shed), NULL, 0, 0},
    {"shed-above", 0, OPTION_NUMBER, LIVE, "capture", "N", "packets per second beyond which relay media are dropped (400000; 0 = never)", AT(shed_above), NULL, 0, INT64_C(1000000000)},
    {"program", 0, OPTION_FLAG, ON_DOCTOR, NULL, NULL, "also print the program that cuts packets in the kernel", AT(program), NULL, 0, 0},
    {"seconds", 0, OPTION_NUMBER, ON_DOCTOR, NULL, "N", "how long to look at interfaces (15)", AT(seconds), NULL, 1, 86400},
    {"sensor", 0, OPTION_TEXT, CAPTURE | ON_IMPORT, "sensor", "NAME", "name of this sensor in the rows (the host's name; import: joins with any)", AT(sensor), check_name, 0, 0},
    {"nat", 0, OPTION_LIST, CAPTURE, "edge", "PRIVATE=PUBLIC", "an address on the wire and its public form (repeatable; else learned)", AT(nat), check_nat, 0, 0},
    {"edge", 0, OPTION_LIST, CAPTURE, "edge", "ADDR", "an address of an Edge or relay (repeatable; else learned)", AT(edge), check_addr, 0, 0},
    {"relay-ports", 0, OPTION_TEXT, CAPTURE, "edge", "LO-HI", "port range of relays (50000-59999)", AT(relay_ports), check_ports, 0, 0},
    {"sip-port", 0, OPTION_LIST, CAPTURE, "edge", "N", "a port of SIP besides 5060 and 5061, as a hint (repeatable)", AT(sip_port), check_port, 0, 0},
    {"turn-port", 0, OPTION_LIST, CAPTURE, "edge", "N", "a port of TURN besides 3478 and 5349, as a hint (repeatable)", AT(turn_port), check_port, 0, 0},
    {"tls-key", 0, OPTION_LIST, CAPTURE, "tls", "FILE", "a server's private key: PEM, DER, PKCS#8 or PKCS#12 (repeatable)", AT(tls_key), NULL, 0, 0},
    {"keylog", 0, OPTION_LIST, CAPTURE, "tls", "FILE", "a key log (SSLKEYLOGFILE), file or named pipe; followed while it grows (repeatable)", AT(keylog), NULL, 0, 0},
    {"tls-passphrase", 0, OPTION_TEXT, CAPTURE, "tls", "HOW", "of encrypted keys: file:PATH, env:NAME or ask", AT(tls_passphrase), check_passphrase, 0, 0},
    {"hep", 0, OPTION_LIST, ON_MONITOR, "feeds", "[ADDR:]PORT", "receive HEP here, UDP and TCP; a port alone: on 127.0.0.1 (repeatable)", AT(hep), check_listen, 0, 0},
    {"sdn", 0, OPTION_LIST, ON_MONITOR, "feeds", "[ADDR:]PORT", "receive SDN messages of Skype for Business here, by HTTP POST (repeatable)", AT(sdn), check_listen, 0, 0},
    {"sdn-cert", 0, OPTION_TEXT, ON_MONITOR, "feeds", "FILE", "certificate for --sdn: TLS", AT(sdn_cert), NULL, 0, 0},
    {"sdn-key", 0, OPTION_TEXT, ON_MONITOR, "feeds", "FILE", "its private key", AT(sdn_key), NULL, 0, 0},
    {"sdn-token-file", 0, OPTION_TEXT, ON_MONITOR, "feeds", "FILE", "holds the token that --sdn asks for", AT(sdn_token_file), NULL, 0, 0},
    {"on-failure", 0, OPTION_TEXT, ON_MONITOR, "notify", "COMMAND", "run this program for each failure, its row as JSON on stdin (no shell)", AT(on_failure), runner_check, 0, 0},
    {"metrics", 0, OPTION_TEXT, ON_MONITOR, "notify", "[ADDR:]PORT", "figures for Prometheus at http://ADDR:PORT/metrics; a port alone: on 127.0.0.1", AT(metrics), check_listen, 0, 0},

    {"keep-evidence", 0, OPTION_NUMBER, ON_MONITOR, "storage", "DAYS", "packets older than this are deleted (never)", AT(keep_evidence), NULL, 1, 36500},
    {"keep-details", 0, OPTION_NUMBER, ON_MONITOR, "storage", "DAYS", "so are attempts, calls, candidates and allocations (never)", AT(keep_details), NULL, 1, 36500},
    {"keep-failures", 0, OPTION_NUMBER, ON_MONITOR, "storage", "DAYS", "and failures, findings, traffic and health (never)", AT(keep_failures), NULL, 1, 36500},
    {"max-db-mb", 0, OPTION_NUMBER, ON_MONITOR, "storage", "N", "beyond this size, MB, the oldest rows are deleted, packets first (no limit)", AT(max_db_mb), NULL, 8, INT64_C(1) << 40},

    {"listen", 0, OPTION_TEXT, ON_SERVE, "serve", "ADDR:PORT", "where to answer; port 0 = any free one (127.0.0.1:8080)", AT(listen), check_serve, 0, 0},
    {"cert", 0, OPTION_TEXT, ON_SERVE, "serve", "FILE", "certificate chain, PEM; with --key: HTTPS", AT(cert), NULL, 0, 0},
    {"key", 0, OPTION_TEXT, ON_SERVE, "serve", "FILE", "its private key, PEM", AT(key), NULL, 0, 0},
    {"token-file", 0, OPTION_TEXT, ON_SERVE, "serve", "FILE", "the first line is the token that readers must give", AT(token_file), NULL, 0, 0},
    {"host", 0, OPTION_LIST, ON_SERVE, "serve", "NAME", "a name that a proxy on this machine uses for the pages (repeatable)", AT(host), check_name, 0, 0},
    {"query-seconds", 0, OPTION_NUMBER, ON_SERVE, "serve", "N", "what one answer may take (5)", AT(query_seconds), NULL, 1, 120},
    {"user", 0, OPTION_TEXT, ON_SERVE, "serve", "NAME", "account to run as if started by root (edgewatch, else nobody)", AT(serve_account), NULL, 0, 0},

    {"users", 0, OPTION_TEXT, ON_READ | ON_MONITOR | ON_IMPORT, "privacy", "HOW", "users of SIP addresses are stored: keep, pseudonym, drop (keep)", AT(users), check_users, 0, 0},
    {"addresses", 0, OPTION_TEXT, ON_READ | ON_MONITOR | ON_IMPORT, "privacy", "HOW", "internal addresses are stored: keep, pseudonym-internal (keep)", AT(addresses), check_addresses, 0, 0},
    {"privacy-key", 0, OPTION_TEXT, ON_READ | ON_MONITOR | ON_IMPORT, "privacy", "FILE", "the key of the pseudonyms (the database's name and .key, made if missing)", AT(privacy_key), NULL, 0, 0},

    {"since", 0, OPTION_TEXT, LISTS | ON_REPORT, NULL, "T", "from this time on", AT(since), check_time, 0, 0},
    {"until", 0, OPTION_TEXT, LISTS | ON_REPORT, NULL, "T", "up to this time", AT(until), check_time, 0, 0},
    {"around", 0, OPTION_TEXT, LISTS, NULL, "T", "around this time, --within each way", AT(around), check_time, 0, 0},
    {"within", 0, OPTION_TEXT, LISTS, NULL, "SPAN", "how far around: 90s, 5m, 2h (5m)", AT(within), check_span, 0, 0},
    {"user", 0, OPTION_TEXT, ON_FAILURES | ON_CALLS, NULL, "U", "part of the caller's or callee's address", AT(user), NULL, 0, 0},
    {"call", 0, OPTION_TEXT, ON_FAILURES | ON_CALLS, NULL, "ID", "this Call-ID", AT(call), NULL, 0, 0},
    {"addr", 0, OPTION_TEXT, ON_FAILURES | ON_ALLOCATIONS, NULL, "A", "with this address at either end", AT(addr), check_addr, 0, 0},
    {"addr", 0, OPTION_TEXT, ON_CALLS, NULL, "A", "with this address among its candidates", AT(addr), check_addr, 0, 0},
    {"verdict", 0, OPTION_TEXT, ON_FAILURES, NULL, "V", "with this verdict (refused, timeout, ...)", AT(verdict), check_verdict, 0, 0},
    {"finding", 0, OPTION_TEXT, ON_FAILURES, NULL, "F", "with this finding", AT(finding), check_finding, 0, 0},
    {"all", 'a', OPTION_FLAG, ON_FAILURES | ON_TOP, NULL, NULL, "also failed pairs beside a working one (severity info)", AT(all), NULL, 0, 0},
    {"all", 'a', OPTION_FLAG, ON_CALLS | ON_ALLOCATIONS | ON_HEALTH, NULL, NULL, "all rows, as without it (as for failures)", AT(all), NULL, 0, 0},
    {"limit", 'n', OPTION_NUMBER, LISTS, NULL, "N", "at most this many rows", AT(limit), NULL, 1, INT64_MAX},

    {"day", 0, OPTION_TEXT, ON_REPORT, NULL, "D", "this day: 2026-01-31, yesterday, today", AT(day), check_time, 0, 0},
    {"days", 0, OPTION_NUMBER, ON_REPORT, NULL, "N", "this many days, up to now or to the end of --day", AT(days), NULL, 1, 3660},
    {"by", 0, OPTION_TEXT, ON_REPORT, NULL, "WHAT", "one part per partner: --by partner", AT(by), check_by, 0, 0},
    {"last-night", 0, OPTION_FLAG, ON_REPORT, NULL, NULL, "the night that ended last", AT(last_night), NULL, 0, 0},
    {"night", 0, OPTION_TEXT, ON_REPORT, "report", "FROM-TO", "when a night begins and ends (18:00-08:00)", AT(night), check_night, 0, 0},

    {"format", 'f', OPTION_TEXT, LISTS, NULL, "FORM", "table, csv, json or jsonl (table)", AT(format), check_list_format, 0, 0},
    {"bom", 0, OPTION_FLAG, LISTS, NULL, NULL, "begin CSV with a byte-order mark, for spreadsheets that take UTF-8 for something else", AT(bom), NULL, 0, 0},
    {"format", 'f', OPTION_TEXT, ON_SQL, NULL, "FORM", "table, csv or json (table)", AT(format), check_sql_format, 0, 0},
    {"format", 'f', OPTION_TEXT, ON_DOCTOR, NULL, "FORM", "text or json (text)", AT(format), check_text_format, 0, 0},
    {"format", 'f', OPTION_TEXT, ON_SHOW | ON_REPORT, NULL, "FORM", "text, html or json (text)", AT(format), check_page_format, 0, 0},
    {"output", 'o', OPTION_TEXT, ON_SHOW | ON_EXPORT | ON_REPORT, NULL, "FILE", "write to this file, - = stdout", AT(output), NULL, 0, 0},
    {"color", 0, OPTION_TEXT, LISTS | ON_SHOW | ON_REPORT | ON_DECODE | ON_DOCTOR, NULL, "WHEN", "auto: on a terminal, unless $NO_COLOR is set; always; never (auto)", AT(color), check_color, 0, 0},
    {"mail", 0, OPTION_TEXT, ON_REPORT, NULL, "ADDRESS", "send it by e-mail, through the local sendmail", AT(mail), check_mail, 0, 0},
    {"sendmail", 0, OPTION_TEXT, ON_REPORT, "report", "FILE", "the sendmail program (/usr/sbin/sendmail)", AT(sendmail), NULL, 0, 0},
    {"exit-code", 0, OPTION_FLAG, ON_READ | ON_FAILURES | ON_REPORT, NULL, NULL, "exit with 1 if there are failures", AT(exit_code), NULL, 0, 0},
};
/* clang-format on */
const unsigned n_option_defs = sizeof option_defs / sizeof *option_defs;
_Static_assert(sizeof option_defs / sizeof *option_defs <= 128, "settings.given has 128 bits");

/* ---- setting ---- */

static int list_add(struct text_list *l, const char *item)
{
    const char **more = realloc(l->items, (l->n + 1) * sizeof *more);
    if (!more)
        return -1;
    l->items = more;
    l->items[l->n++] = item;
    return 0;
}

void settings_free(struct settings *s)
{
    struct text_list *const lists[] = {&s->interface, &s->nat,     &s->edge,   &s->sip_port,
                                       &s->turn_port, &s->tls_key, &s->keylog, &s->hep,
                                       &s->host,      &s->sdn};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->items);
    for (unsigned i = 0; i < s->owned.n; i++)
        free((char *)(uintptr_t)s->owned.items[i]);
    free(s->owned.items);
    *s = (struct settings){0};
}

/* A copy that settings_free() gives back. */
static const char *own(struct settings *s, const char *value)
{
    char *copy = strdup(value);
    if (copy && list_add(&s->owned, copy) != 0) {
        free(copy);
        copy = NULL;
    }
    return copy;
}

static const char *set_number(const struct option_def *d, const char *value, int64_t *out)
{
    char *end;
    long long n = strtoll(value, &end, 10);
    if (end == value || *end)
        return "is not a number";
    if (n < d->min || n > d->max)
        return "is out of range";
    *out = n;
    return NULL;
}

/* yes/no from a configuration file; the bare flag of the command line comes without a value. */
static const char *set_flag(const char *value, bool *out)
{
    static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false",
                                                                                "off", "0"};
    bool is_yes = !value, is_no = false;
    for (size_t i = 0; value && i < 4; i++) {
        is_yes |= strcasecmp(value, yes[i]) == 0;
        is_no |= strcasecmp(value, no[i]) == 0;
    }
    if (is_yes || is_no)
        *out = is_yes;
    return is_yes || is_no ? NULL : "is neither yes nor no";
}

const char *settings_set(struct settings *s, unsigned i, const char *value, bool copy)
{
    const struct option_def *d = &option_defs[i];
    void *at = (char *)s + d->at;
    const char *wrong = d->check ? d->check(value) : NULL;
    if (wrong)
        return wrong;
    option_set_bit(s->valued, i);
    if (d->kind == OPTION_FLAG)
        return set_flag(value, at);
    if (d->kind == OPTION_NUMBER)
        return set_number(d, value, at);
    if (copy && !(value = own(s, value)))
        return "no memory";
    if (d->kind == OPTION_LIST)
        return list_add(at, value) == 0 ? NULL : "no memory";
    *(const char **)at = value;
    return NULL;
}

/* ---- nearest name ---- */

static unsigned distance(const char *a, const char *b)
{
    enum { MOST = 32 };
    unsigned row[MOST + 1];
    size_t n = strlen(b);
    if (n > MOST || strlen(a) > MOST)
        return MOST;
    for (unsigned k = 0; k <= n; k++)
        row[k] = k;
    for (unsigned i = 0; a[i]; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (size_t k = 0; k < n; k++) {
            unsigned swap = diagonal + (a[i] != b[k]),
                     least = row[k] < row[k + 1] ? row[k] : row[k + 1];
            diagonal = row[k + 1];
            row[k + 1] = swap < least + 1 ? swap : least + 1;
        }
    }
    return row[n];
}

const char *options_nearest(const char *word, const char *const list[], unsigned n)
{
    const char *best = NULL;
    unsigned least = 1 + (unsigned)strlen(word) / 3;
    for (unsigned i = 0; i < n; i++) {
        unsigned d = distance(word, list[i]);
        if (d <= least && (!best || d < distance(word, best)))
            best = list[i];
    }
    return best;
}

/* ---- the command line ---- */

enum { FIRST_VALUE = 256 };

/* The options of mask in the forms that getopt_long() wants; value FIRST_VALUE + index in the
 * table. */
static void build(unsigned mask, struct option longs[OPTIONS_MOST + 1], char *shorts)
{
    unsigned n = 0;
    if (mask == ON_ALL)
        *shorts++ = '+'; /* the first other word is the command: what follows is for it */
    *shorts++ = ':';     /* tell a missing value from an unknown option */
    for (unsigned i = 0; i < n_option_defs && n < OPTIONS_MOST; i++) {
        const struct option_def *d = &option_defs[i];
        if (!(d->commands & mask))
            continue;
        int has_arg = d->kind == OPTION_FLAG ? no_argument : required_argument;
        longs[n++] = (struct option){d->name, has_arg, NULL, FIRST_VALUE + (int)i};
        if (d->letter) {
            *shorts++ = d->letter;
            if (has_arg)
                *shorts++ = ':';
        }
    }
    longs[n] = (struct option){0};
    *shorts = 0;
}

static int index_of(int got, unsigned mask)
{
    if (got >= FIRST_VALUE)
        return got - FIRST_VALUE;
    for (unsigned i = 0; i < n_option_defs; i++)
        if (option_defs[i].letter == got && option_defs[i].commands & mask)
            return (int)i;
    return -1;
}

static void unknown_text(const char *word, unsigned mask, char *why, size_t room)
{
    const char *names[OPTIONS_MOST];
    unsigned n = 0;
    for (unsigned i = 0; i < n_option_defs; i++)
        if (option_defs[i].commands & mask)
            names[n++] = option_defs[i].name;
    const char *near = options_nearest(word + strspn(word, "-"), names, n);
    snprintf(why, room, "unknown option %s%s%s%s", word, near ? " (did you mean --" : "",
             near ? near : "", near ? "?)" : "");
}

int options_parse(struct settings *s, unsigned mask, int argc, char **argv, int *first, char *why,
                  size_t room)
{
    struct option longs[OPTIONS_MOST + 1];
    char shorts[2 * OPTIONS_MOST + 3];
    mask |= ON_ALL;
    build(mask, longs, shorts);
    optind = 0; /* GNU: start afresh */
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const char *word = argv[optind - 1];
        if (got == ':') {
            snprintf(why, room, "option %s needs a value", word);
            return -1;
        }
        int i = got == '?' ? -1 : index_of(got, mask);
        if (i < 0) {
            unknown_text(word, mask, why, room);
            return -1;
        }
        const char *value = option_defs[i].kind == OPTION_FLAG ? NULL : optarg;
        const char *wrong = settings_set(s, (unsigned)i, value, false);
        if (wrong) {
            snprintf(why, room, "--%s: \"%s\" %s", option_defs[i].name, value ? value : "", wrong);
            return -1;
        }
        option_set_bit(s->given, (unsigned)i);
    }
    *first = optind;
    return 0;
}
