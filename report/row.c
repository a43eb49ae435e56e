/* Values of a row by column name. */
#include "report/row.h"

#include "report/clock.h"
#include "report/safe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool row_null(struct rows *r, const char *name)
{
    int column = rows_find(r, name);
    return column < 0 || rows_type(r, column) == ROWS_NULL;
}

char *row_text(struct rows *r, const char *name, char *out, size_t room)
{
    return safe_text(row_null(r, name) ? "" : rows_text(r, rows_find(r, name)), out, room);
}

char *row_copy(struct rows *r, const char *name)
{
    return row_null(r, name) ? NULL : safe_copy(rows_text(r, rows_find(r, name)));
}

int64_t row_int(struct rows *r, const char *name, int64_t other)
{
    return row_null(r, name) ? other : rows_int(r, rows_find(r, name));
}

tick_t row_tick(struct rows *r, const char *name)
{
    return row_null(r, name) ? TICK_NONE : clock_of_row(rows_text(r, rows_find(r, name)));
}

char *row_endpoint(struct rows *r, const char *addr, const char *port, char *out, size_t room)
{
    char host[64];
    row_text(r, addr, host, sizeof host);
    int64_t number = row_int(r, port, 0);
    if (!*host || number == 0)
        snprintf(out, room, "%s", host);
    else if (strchr(host, ':'))
        snprintf(out, room, "[%s]:%" PRId64, host, number);
    else
        snprintf(out, room, "%s:%" PRId64, host, number);
    return out;
}

char *row_user(struct rows *r, const char *name, char *out, size_t room)
{
    char uri[256];
    row_text(r, name, uri, sizeof uri);
    const char *user = uri;
    if (strncasecmp(uri, "sip:", 4) == 0)
        user = uri + 4;
    else if (strncasecmp(uri, "sips:", 5) == 0)
        user = uri + 5;
    snprintf(out, room, "%s", user);
    return out;
}
