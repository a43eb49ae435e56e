/* Rows as JSON, through jansson. */
#include "report/json.h"

#include "report/safe.h"

#include <stdlib.h>
#include <string.h>

/* What is valid UTF-8 stays: json_write() escapes what is no danger to a parser but to a terminal.
 */
json_t *json_safe(const char *text)
{
    if (!text)
        return json_null();
    json_t *whole = json_string(text);
    if (whole)
        return whole;
    char *copy = safe_copy(text);
    json_t *out = copy ? json_string(copy) : NULL;
    free(copy);
    return out;
}

/* The code of a character of one to three bytes (RFC 3629). */
static unsigned code_of(const unsigned char *p, size_t *n)
{
    *n = p[0] >= 0xe0 ? 3 : p[0] >= 0x80 ? 2 : 1;
    if (*n == 1)
        return p[0];
    return *n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu)
                   : (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

void json_write(const json_t *all, size_t flags, FILE *out)
{
    char *text = json_dumps(all, flags);
    const char *p = text ? text : "";
    while (*p) {
        size_t n = 0, step;
        while ((step = p[n] == '\n' ? 1 : safe_length(p + n)))
            n += step;
        fwrite(p, 1, n, out);
        p += n;
        if (*p) {
            fprintf(out, "\\u%04x", code_of((const unsigned char *)p, &n));
            p += n;
        }
    }
    free(text);
}

static json_t *hex(const uint8_t *p, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    char *text = malloc(2 * n + 1);
    if (!text)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digit[p[i] >> 4];
        text[2 * i + 1] = digit[p[i] & 15];
    }
    json_t *out = json_stringn(text, 2 * n);
    free(text);
    return out;
}

static json_t *embedded(const char *name, const char *text)
{
    bool is_json = strcmp(name, "evidence") == 0 || strcmp(name, "fields") == 0;
    json_t *inner = is_json ? json_loads(text, 0, NULL) : NULL;
    return inner ? inner : json_safe(text);
}

static json_t *value(struct rows *r, int column)
{
    size_t n = 0;
    switch (rows_type(r, column)) {
    case ROWS_INT:
        return json_integer(rows_int(r, column));
    case ROWS_REAL:
        return json_real(rows_real(r, column));
    case ROWS_TEXT:
        return embedded(rows_name(r, column), rows_text(r, column));
    case ROWS_BLOB: {
        const uint8_t *p = rows_blob(r, column, &n);
        return hex(p, n);
    }
    case ROWS_NULL:
        break;
    }
    return json_null();
}

json_t *json_row(struct rows *r)
{
    json_t *o = json_object();
    for (int i = 0; o && i < rows_columns(r); i++)
        if (json_object_set_new(o, rows_name(r, i), value(r, i)) != 0) {
            json_decref(o);
            return NULL;
        }
    return o;
}

int64_t json_rows(struct rows *r, FILE *out, bool lines)
{
    int64_t count = 0;
    int got;
    if (!lines)
        fputc('[', out);
    while ((got = rows_next(r)) == 1) {
        json_t *o = json_row(r);
        if (!o)
            return -1;
        if (!lines)
            fputs(count ? ",\n" : "\n", out);
        json_write(o, JSON_COMPACT | JSON_REAL_PRECISION(10), out);
        if (lines)
            fputc('\n', out);
        json_decref(o);
        count++;
    }
    if (!lines)
        fputs(count ? "\n]\n" : "]\n", out);
    return got < 0 ? -1 : count;
}
