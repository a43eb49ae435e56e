/* Values of a row that is a JSON object. */
#include "report/field.h"

#include "report/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *field_text(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text ? text : "";
}

int64_t field_int(const json_t *o, const char *name, int64_t other)
{
    const json_t *v = json_object_get(o, name);
    if (json_is_real(v))
        return (int64_t)json_real_value(v);
    return json_is_integer(v) ? json_integer_value(v) : other;
}

tick_t field_tick(const json_t *o, const char *name)
{
    return clock_of_row(json_string_value(json_object_get(o, name)));
}

char *field_endpoint(const json_t *o, const char *addr, const char *port, char *out, size_t room)
{
    const char *host = field_text(o, addr);
    int64_t number = field_int(o, port, 0);
    if (!*host || number == 0)
        snprintf(out, room, "%s", host);
    else
        snprintf(out, room, strchr(host, ':') ? "[%s]:%" PRId64 : "%s:%" PRId64, host, number);
    return out;
}

const char *field_user(const json_t *o, const char *name, const char *other)
{
    const char *uri = field_text(o, name);
    if (strncasecmp(uri, "sip:", 4) == 0)
        return uri + 4;
    if (strncasecmp(uri, "sips:", 5) == 0)
        return uri + 5;
    return *uri ? uri : other;
}
