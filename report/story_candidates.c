/* What both sides offered, side by side of the call, with the pair that was tried marked. */
#include "report/diagnosis.h"
#include "report/field.h"
#include "report/html.h"
#include "report/story.h"
#include "report/table.h"

#include <inttypes.h>
#include <string.h>

/* the last column only where there is room for it */
enum { TEXT = 128, MOST = 40, COLUMNS = 8, WIDE = 100 };

/* The word for what the candidate is; the c=/m= address has no type of its own. */
static const char *kind_of(const json_t *c)
{
    const char *type = field_text(c, "type");
    return *type ? type : field_text(c, "dialect");
}

/* Is this candidate what the failure names as local or remote ("relay TCP-PASS 2.2.2.2:58138")? A
 * default address that was offered as a candidate, too, has no line of its own. */
static bool of_pair(const struct story_facts *f, const json_t *c, const char *at)
{
    static const char *const names[] = {"local_candidate", "remote_candidate"};
    char text[2 * TEXT], preset[2 * TEXT];
    snprintf(text, sizeof text, "%s %s %s", kind_of(c), field_text(c, "transport"), at);
    snprintf(preset, sizeof preset, "default %s %s", field_text(c, "transport"), at);
    for (size_t i = 0; i < 2; i++) {
        const char *named = field_text(f->failure, names[i]);
        if (strcmp(text, named) == 0 || strcmp(preset, named) == 0)
            return true;
    }
    return false;
}

static bool is_tried(const struct story_facts *f)
{
    return strcmp(field_text(f->failure, "verdict"), "not-tried") != 0;
}

/* The same address offered for several components is one line. */
static bool same_line(const json_t *a, const json_t *b)
{
    static const char *const names[] = {"side", "medium", "transport", "type", "addr", "dialect"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(field_text(a, names[i]), field_text(b, names[i])) != 0)
            return false;
    return field_int(a, "port", 0) == field_int(b, "port", 0);
}

static bool seen_before(const json_t *list, size_t at)
{
    const json_t *c = json_array_get(list, at);
    for (size_t i = 0; i < at; i++)
        if (same_line(json_array_get(list, i), c))
            return true;
    return false;
}

static void components(const json_t *list, size_t at, char *out, size_t room)
{
    size_t n = 0;
    for (size_t i = at; i < json_array_size(list) && n < room; i++) {
        const json_t *c = json_array_get(list, i);
        if (same_line(json_array_get(list, at), c))
            n += (size_t)snprintf(out + n, room - n, "%s%" PRId64, n ? "," : "",
                                  field_int(c, "component", 0));
    }
}

/* One candidate as cells: of the pair or not, side, type, transport, address, base, components,
 * dialect.
 */
static void put_cells(const char *const cells[COLUMNS], struct table *t, const struct prose *p)
{
    if (!p->html) {
        table_row(t, cells);
        return;
    }
    fprintf(p->out, "<tr%s><td>%s</td>", *cells[0] ? " class=\"tried\"" : "", cells[0]);
    for (unsigned i = 1; i < COLUMNS; i++) {
        fputs(i == 4 || i == 5 ? "<td class=\"mono\">" : "<td>", p->out);
        html_wire(p->out, cells[i], 60);
        fputs("</td>", p->out);
    }
    fputs("</tr>\n", p->out);
}

static bool put_row(const struct story_facts *f, struct table *t, size_t i, const struct prose *p)
{
    const json_t *c = json_array_get(f->candidates, i);
    const char *medium = field_text(f->failure, "medium");
    if (*medium && strcmp(medium, field_text(c, "medium")) != 0)
        return false;
    if (seen_before(f->candidates, i))
        return false;
    char at[TEXT], base[TEXT], parts[TEXT], who[TEXT];
    bool offer = strcmp(field_text(c, "side"), "offer") == 0;
    field_endpoint(c, "addr", "port", at, sizeof at);
    field_endpoint(c, "rel_addr", "rel_port", base, sizeof base);
    components(f->candidates, i, parts, sizeof parts);
    snprintf(who, sizeof who, "%s", offer ? "offer" : "answer");
    const char *mark = p->html ? is_tried(f) ? "tried" : "agreed" : "*";
    put_cells((const char *const[COLUMNS]){of_pair(f, c, at) ? mark : "", who, kind_of(c),
                                           field_text(c, "transport"), at, *base ? base : "", parts,
                                           field_text(c, "dialect")},
              t, p);
    return true;
}

static void put_pair(const struct story_facts *f, const struct prose *p)
{
    const char *local = field_text(f->failure, "local_candidate");
    const char *remote = field_text(f->failure, "remote_candidate");
    if (*local || *remote)
        prose_text(p, 2, "%s -> %s", *local ? local : "not known", *remote ? remote : "not known");
}

static bool has_rows(const struct story_facts *f)
{
    const char *medium = field_text(f->failure, "medium");
    size_t k;
    json_t *c;
    json_array_foreach(f->candidates, k, c)
    {
        if (!*medium || strcmp(medium, field_text(c, "medium")) == 0)
            return true;
    }
    return false;
}

static unsigned put_rows(const struct story_facts *f, struct table *t, const struct prose *p)
{
    unsigned shown = 0;
    for (size_t i = 0; i < json_array_size(f->candidates) && shown < MOST; i++)
        shown += put_row(f, t, i, p);
    return shown;
}

static unsigned put_table(const struct story_facts *f, const struct prose *p)
{
    static const struct table_column columns[COLUMNS] = {
        {"", 0},        {"SIDE", 0}, {"TYPE", 0}, {"TRANSPORT", 0},
        {"ADDRESS", 0}, {"BASE", 0}, {"COMP", 0}, {"DIALECT", 0}};
    static const char *const heads[] = {"Pair", "Side",      "Type",    "Transport", "Address",
                                        "Base", "Component", "Dialect", NULL};
    unsigned shown = 0;
    if (p->html) {
        html_table_begin(p->out, "-Candidates of both sides", heads);
        shown = put_rows(f, NULL, p);
        html_table_end(p->out);
        return shown;
    }
    struct table *t = table_new(columns, p->width >= WIDE ? COLUMNS : COLUMNS - 1, 2, 0);
    if (t && (shown = put_rows(f, t, p)))
        table_print(t, p->out);
    table_free(t);
    return shown;
}

void story_candidates(const struct story_facts *f, const struct prose *p)
{
    const char *mark = p->html       ? "CANDIDATES"
                       : is_tried(f) ? "CANDIDATES (* the pair that was tried)"
                                     : "CANDIDATES (* the pair that was agreed on)";
    bool rows = has_rows(f);
    if (rows || *field_text(f->failure, "local_candidate"))
        prose_heading(p, mark);
    if (rows && put_table(f, p) == MOST)
        prose_text(p, 2, "... and more; all of them: SELECT * FROM candidates");
    put_pair(f, p);
}
