/* Tables through libsmartcols. */
#include "report/table.h"

#include "report/safe.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TABLE_NARROWEST = 40 };

struct table {
    struct libscols_table *cols;
    unsigned n, indent;
    int failed;
};

unsigned table_width(FILE *out)
{
    int fd = fileno(out);
    if (fd < 0 || !isatty(fd))
        return 0;
    const char *set = getenv("COLUMNS");
    unsigned long wanted = set ? strtoul(set, NULL, 10) : 0;
    struct winsize w = {0};
    if (wanted == 0 && ioctl(fd, TIOCGWINSZ, &w) == 0)
        wanted = w.ws_col;
    if (wanted == 0 || wanted > 10000)
        return 80;
    return wanted < TABLE_NARROWEST ? TABLE_NARROWEST : (unsigned)wanted;
}

static int scols_flags(unsigned flags)
{
    return (flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) | (flags & TABLE_CUT ? SCOLS_FL_TRUNC : 0) |
           (flags & TABLE_WRAP ? SCOLS_FL_WRAP : 0);
}

struct table *table_new(const struct table_column *columns, unsigned n, unsigned indent,
                        unsigned width)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    *t = (struct table){scols_new_table(), n, indent, 0};
    if (!t->cols) {
        free(t);
        return NULL;
    }
    scols_table_set_termforce(t->cols, width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
    if (width)
        scols_table_set_termwidth(t->cols, width - indent);
    scols_table_set_column_separator(t->cols, "  ");
    for (unsigned i = 0; i < n; i++) {
        unsigned flags = width ? columns[i].flags : columns[i].flags & TABLE_RIGHT;
        if (!scols_table_new_column(t->cols, columns[i].title, 0, scols_flags(flags)))
            t->failed = 1;
    }
    return t;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    scols_unref_table(t->cols);
    free(t);
}

void table_row(struct table *t, const char *const cells[])
{
    struct libscols_line *line = scols_table_new_line(t->cols, NULL);
    if (!line)
        t->failed = 1;
    for (unsigned i = 0; line && i < t->n; i++) {
        char *cell = safe_copy(cells[i] ? cells[i] : "-");
        if (cell && !safe_utf8_shown())
            safe_ascii(cell);
        if (!cell || scols_line_refer_data(line, i, cell) != 0) {
            free(cell);
            t->failed = 1;
        }
    }
}

/* Lines without the blanks that fill up the last column. */
static void put_lines(const char *text, unsigned indent, FILE *out)
{
    for (const char *p = text; *p;) {
        size_t n = strcspn(p, "\n"), used = n;
        while (used && p[used - 1] == ' ')
            used--;
        fprintf(out, "%*s%.*s\n", used ? (int)indent : 0, "", (int)used, p);
        p += n + (p[n] == '\n');
    }
}

int table_print(struct table *t, FILE *out)
{
    char *text = NULL;
    if (t->failed || scols_print_table_to_string(t->cols, &text) != 0)
        return -1;
    if (text)
        put_lines(text, t->indent, out);
    free(text);
    return 0;
}
