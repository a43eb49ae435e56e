/* What the endpoints said in diagnostics headers, each in a few lines. */
#include "report/clock.h"
#include "report/diagnosis.h"
#include "report/field.h"
#include "report/story.h"

#include <inttypes.h>
#include <string.h>

enum { HANG = 19, LINE = 256 };

static size_t add(char line[LINE], size_t n, const char *glue, const char *text)
{
    if (!*text || n >= LINE)
        return n;
    return n + (size_t)snprintf(line + n, LINE - n, "%s%s", n ? glue : "", text);
}

static const char *location(const json_t *fields, const char *key)
{
    const char *value = field_text(fields, key);
    return strcmp(value, "1") == 0   ? "on the Internet"
           : strcmp(value, "2") == 0 ? "on the intranet"
                                     : "";
}

/* "10.98.2.1:21916, relay 2.2.2.2:58138, on the intranet" */
static void put_end(const json_t *fields, const struct prose *p, const char *lead, const char *site,
                    const char *relay, const char *where)
{
    char line[LINE] = "";
    size_t n = add(line, 0, "", field_text(fields, site));
    n = add(line, n, ", relay ", field_text(fields, relay));
    add(line, n, ", ", location(fields, where));
    if (*line)
        prose_lead(p, 2, HANG, lead, line);
}

static void put_fields(const json_t *fields, const struct prose *p)
{
    put_end(fields, p, "  itself", "LocalSite", "LocalMR", "LocalLocation");
    put_end(fields, p, "  its peer", "RemoteSite", "RemoteMR", "RemoteLocation");
}

void story_claims(const struct story_facts *f, const struct prose *p)
{
    size_t k;
    json_t *d;
    if (json_array_size(f->diagnostics) == 0)
        return;
    prose_heading(p, "WHAT THE ENDPOINTS CLAIMED");
    json_array_foreach(f->diagnostics, k, d)
    {
        char at[TICK_TEXT];
        const char *side = field_text(d, "debug_side"), *reason = field_text(d, "reason");
        clock_time(field_tick(d, "seen"), at);
        prose_item(p, 2, HANG, at, "%s%s%s%" PRId64 "%s%s", *side ? "the " : "", side,
                   *side ? ": " : "", field_int(d, "code", 0), *reason ? " " : "", reason);
        put_fields(json_object_get(d, "fields"), p);
        if (json_is_integer(json_object_get(d, "icewarn")))
            diagnosis_icewarn(p, 4, (uint32_t)field_int(d, "icewarn", 0));
    }
}
