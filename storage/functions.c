/* SQL functions of our own handles. */
#include "storage/functions.h"

#include "storage/text.h"

static void addr_net(sqlite3_context *c, int n, sqlite3_value **v)
{
    struct addr a;
    char out[NET_TEXT];
    (void)n;
    const void *text = sqlite3_value_text(v[0]);
    if (text && addr_parse(slice_of(text, (size_t)sqlite3_value_bytes(v[0])), &a))
        sqlite3_result_text(c, text_of_net(&a, out), -1, SQLITE_TRANSIENT);
}

static void time_text(sqlite3_context *c, int n, sqlite3_value **v)
{
    char out[TICK_TEXT];
    (void)n;
    if (sqlite3_value_type(v[0]) != SQLITE_NULL)
        sqlite3_result_text(c, tick_text(sqlite3_value_int64(v[0]) * TICK_US, out), -1,
                            SQLITE_TRANSIENT);
}

void functions_add(sqlite3 *handle)
{
    static const struct {
        const char *name;
        void (*call)(sqlite3_context *, int, sqlite3_value **);
    } table[] = {{"addr_net", addr_net}, {"time_text", time_text}};
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        sqlite3_create_function(handle, table[i].name, 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
                                table[i].call, NULL, NULL);
}
