/* Forms of option values. */
#include "cli/check.h"

#include "capture/feed.h"
#include "cli/when.h"
#include "flows/findings.h"
#include "flows/verdict.h"
#include "report/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *check_name(const char *value)
{
    for (const char *p = value; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return "has a blank or control character";
    if (strcmp(value, "*") == 0)
        return "stands for all sensors";
    return *value ? NULL : "is empty";
}

const char *check_file(const char *value)
{
    return *value ? NULL : "names no file";
}

const char *check_addr(const char *value)
{
    struct addr a;
    return addr_parse(slice_str(value), &a) ? NULL : "is not an IP address";
}

bool parse_nat(const char *value, struct addr *private_addr, struct addr *public_addr)
{
    const char *equal = strchr(value, '=');
    return equal &&
           addr_parse(slice_trim(slice_of(value, (size_t)(equal - value))), private_addr) &&
           addr_parse(slice_trim(slice_str(equal + 1)), public_addr);
}

const char *check_nat(const char *value)
{
    struct addr a, b;
    if (!parse_nat(value, &a, &b))
        return "is not PRIVATE=PUBLIC with two IP addresses";
    return addr_is_v4(&a) == addr_is_v4(&b) ? NULL : "is not PRIVATE=PUBLIC of one family";
}

bool parse_port(const char *value, uint16_t *out)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || n < 1 || n > 65535)
        return false;
    *out = (uint16_t)n;
    return true;
}

const char *check_passphrase(const char *value)
{
    struct slice v = slice_str(value);
    bool named = (slice_starts(v, "file:") || slice_starts(v, "env:")) && v.p[v.n - 1] != ':';
    return named || slice_is(v, "ask") ? NULL : "is none of file:PATH, env:NAME, ask";
}

const char *check_port(const char *value)
{
    uint16_t port;
    return parse_port(value, &port) ? NULL : "is not a port (1 to 65535)";
}

const char *check_listen(const char *value)
{
    struct endpoint e;
    return feed_listen_parse(value, &e)
               ? NULL
               : "is not PORT, :PORT (this machine only), ADDR:PORT or [ADDR6]:PORT";
}

bool parse_ports(const char *value, uint16_t *low, uint16_t *high)
{
    const char *dash = strchr(value, '-');
    char first[8];
    if (!dash || dash - value >= (ptrdiff_t)sizeof first)
        return false;
    snprintf(first, sizeof first, "%.*s", (int)(dash - value), value);
    return parse_port(first, low) && parse_port(dash + 1, high) && *low <= *high;
}

const char *check_ports(const char *value)
{
    uint16_t low, high;
    return parse_ports(value, &low, &high) ? NULL : "is not a port range LO-HI";
}

const char *check_time(const char *value)
{
    struct when w;
    return when_parse(value, 0, &w) == 0
               ? NULL
               : "is not a time (2026-01-31, 2026-01-31T10:43, 10:43, 2h ago, yesterday)";
}

const char *check_span(const char *value)
{
    tick_t span;
    return when_span(value, &span) == 0 ? NULL : "is not a span of time (90s, 5m, 2h, 1d)";
}

const char *check_night(const char *value)
{
    struct night night;
    return when_night(value, &night) == 0 ? NULL : "is not HH:MM-HH:MM";
}

const char *check_users(const char *value)
{
    bool known =
        strcmp(value, "keep") == 0 || strcmp(value, "pseudonym") == 0 || strcmp(value, "drop") == 0;
    return known ? NULL : "is not keep, pseudonym or drop";
}

const char *check_addresses(const char *value)
{
    bool known = strcmp(value, "keep") == 0 || strcmp(value, "pseudonym-internal") == 0;
    return known ? NULL : "is neither keep nor pseudonym-internal";
}

const char *check_verdict(const char *value)
{
    return verdict_by_name(value) < VERDICTS ? NULL : "is not a verdict (see edgewatch-schema(5))";
}

const char *check_finding(const char *value)
{
    const char *list = FINDING_CODES;
    while (*list) {
        size_t n = strcspn(list, ",");
        if (n == strlen(value) && memcmp(list, value, n) == 0)
            return NULL;
        list += n;
        list += strspn(list, ", ");
    }
    return "is none of " FINDING_CODES;
}

static bool one_of(const char *value, const char *const list[])
{
    while (*list && strcmp(*list, value) != 0)
        list++;
    return *list;
}

const char *check_list_format(const char *value)
{
    static const char *const forms[] = {"table", "csv", "json", "jsonl", NULL};
    return one_of(value, forms) ? NULL : "is none of table, csv, json, jsonl";
}

const char *check_serve(const char *value)
{
    char addr[HTTP_PEER];
    uint16_t port;
    return http_listen_parse(value, addr, &port) ? NULL : "is not ADDR:PORT or [ADDR]:PORT";
}

const char *check_sql_format(const char *value)
{
    static const char *const forms[] = {"table", "csv", "json", NULL};
    return one_of(value, forms) ? NULL : "is none of table, csv, json";
}

const char *check_text_format(const char *value)
{
    static const char *const forms[] = {"text", "json", NULL};
    return one_of(value, forms) ? NULL : "is neither text nor json";
}

const char *check_page_format(const char *value)
{
    static const char *const forms[] = {"text", "html", "json", NULL};
    return one_of(value, forms) ? NULL : "is none of text, html, json";
}

const char *check_color(const char *value)
{
    static const char *const whens[] = {"auto", "always", "never", NULL};
    return one_of(value, whens) ? NULL : "is none of auto, always, never";
}

const char *check_by(const char *value)
{
    return strcmp(value, "partner") == 0 ? NULL : "is not partner";
}
