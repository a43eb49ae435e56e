/* Rows as comma-separated values. */
#include "report/csv.h"

#include "report/safe.h"

#include <inttypes.h>
#include <string.h>

void csv_text(const char *text, FILE *out)
{
    bool quote = !*text || strpbrk(text, ",\"\r\n"), formula = *text && strchr("=+-@\t\r", *text);
    if (quote)
        fputc('"', out);
    if (formula)
        fputc('\'', out);
    for (const char *p = text; *p;) {
        size_t n = safe_length(p);
        if (n == 1 && *p == '"')
            fputs("\"\"", out);
        else if (n)
            fwrite(p, 1, n, out);
        else
            fputc(*p == '\n' || *p == '\r' || *p == '\t' ? *p : '?', out);
        p += n ? n : 1;
    }
    if (quote)
        fputc('"', out);
}

static void hex(const uint8_t *p, size_t n, FILE *out)
{
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%02x", p[i]);
}

static void field(struct rows *r, int column, FILE *out)
{
    size_t n = 0;
    switch (rows_type(r, column)) {
    case ROWS_NULL:
        break;
    case ROWS_INT:
        fprintf(out, "%" PRId64, rows_int(r, column));
        break;
    case ROWS_REAL:
        fprintf(out, "%.10g", rows_real(r, column));
        break;
    case ROWS_TEXT:
        csv_text(rows_text(r, column), out);
        break;
    case ROWS_BLOB: {
        const uint8_t *p = rows_blob(r, column, &n);
        hex(p, n, out);
        break;
    }
    }
}

int64_t csv_rows(struct rows *r, FILE *out)
{
    int columns = rows_columns(r), got;
    for (int i = 0; i < columns; i++)
        fprintf(out, "%s%s", i ? "," : "", rows_name(r, i));
    fputs("\r\n", out);
    int64_t count = 0;
    while ((got = rows_next(r)) == 1) {
        for (int i = 0; i < columns; i++) {
            if (i)
                fputc(',', out);
            field(r, i, out);
        }
        fputs("\r\n", out);
        count++;
    }
    return got < 0 ? -1 : count;
}
