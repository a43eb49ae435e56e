/* show ID: the story of one failure. */
#include "cli/opened.h"

#include "report/json.h"
#include "report/paint.h"
#include "report/story.h"

#include <string.h>

static int print(const struct settings *s, const struct story_facts *f)
{
    char again[512];
    const char *format = s->format ? s->format : "text";
    FILE *out = open_output(s->output);
    if (!out)
        return EXIT_NO_OUTPUT;
    called_as(s, again, sizeof again);
    if (strcmp(format, "json") == 0) {
        json_t *all = story_json(f);
        json_write(all, JSON_INDENT(2) | JSON_REAL_PRECISION(10), out);
        fputc('\n', out);
        json_decref(all);
    } else if (strcmp(format, "html") == 0)
        story_html(f, out, again);
    else {
        struct prose page = prose_on(out);
        page.out = paint_begin(out, s->color);
        story_print(f, &page, again);
        paint_end(page.out, out);
    }
    return close_output(out, s->output);
}

int show_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)argc;
    int64_t id;
    struct query_db *db;
    struct story_facts facts;
    if (!read_id(self, argv[0], &id))
        return EXIT_USAGE;
    int code = open_database(s, &db);
    if (code != EXIT_DONE)
        return code;
    switch (id ? story_load(db, id, &facts) : STORY_NO_ID) {
    case STORY_OK:
        code = print(s, &facts);
        story_unload(&facts);
        break;
    case STORY_NO_ID:
        code = no_such_failure(s, id);
        break;
    case STORY_DB_FAILED:
        code = database_failed(s, db);
        break;
    }
    query_close(db);
    return code;
}
