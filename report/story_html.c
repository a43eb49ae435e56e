/* The story of one failure as a page: the words of the text, the ladder as a picture. */
#include "report/clock.h"
#include "report/diagnosis.h"
#include "report/field.h"
#include "report/html.h"
#include "report/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 60 };

static void put_tag(FILE *out, const char *text, bool bad)
{
    html_element(out, "span", bad ? "tag bad" : "tag", text);
    fputc(' ', out);
}

static void put_tags(const json_t *x, FILE *out)
{
    char grade[32];
    snprintf(grade, sizeof grade, "grade %s", field_text(x, "grade"));
    fputs("<p>", out);
    put_tag(out, field_text(x, "verdict"), true);
    put_tag(out, field_text(x, "leg"), false);
    put_tag(out, grade, false);
    put_tag(out, field_text(x, "confidence"), false);
    if (strcmp(field_text(x, "severity"), "info") == 0)
        put_tag(out, "information only", false);
    if (strcmp(field_text(x, "capture_quality"), "good") != 0)
        put_tag(out, field_text(x, "capture_quality"), false);
    fputs("</p>\n", out);
}

/* "Application sharing, user1@contoso.com to user2@fabrikam.com" */
static void put_who(const json_t *x, FILE *out)
{
    const char *medium = field_text(x, "medium"),
               *what = *medium ? diagnosis_medium(medium) : "media";
    const char *caller = field_user(x, "caller", ""), *callee = field_user(x, "callee", "");
    if (!*caller && !*callee) {
        html_format(out, "%s, the users are not known", what);
        return;
    }
    html_format(out, "%s, ", what);
    html_wire(out, *caller ? caller : "?", NAME);
    fputs(" to ", out);
    html_wire(out, *callee ? callee : "?", NAME);
}

static void put_header(const struct story_facts *f, FILE *out)
{
    const json_t *x = f->failure;
    char when[TICK_TEXT], zone[CLOCK_ZONE], offset[CLOCK_ZONE], *sentence = story_sentence(f);
    tick_t first = field_tick(x, "first_seen");
    fputs("<header>\n<p class=\"eyebrow\">", out);
    html_format(
        out, "edgewatch \u00b7 failure %" PRId64 " \u00b7 %s (times in %s, UTC%s) \u00b7 sensor %s",
        field_int(x, "id", 0), clock_stamp(first, when), clock_zone(zone),
        clock_offset(first, offset), field_text(x, "sensor"));
    fputs("</p>\n", out);
    html_element(out, "h1", NULL, sentence);
    free(sentence);
    fputs("\n<p class=\"lead\">", out);
    put_who(x, out);
    fputs("</p>\n", out);
    put_tags(x, out);
    if (*field_text(x, "explanation"))
        html_element(out, "p", "banner", field_text(x, "explanation"));
    fputs("\n</header>\n", out);
}

void story_html_body(const struct story_facts *f, FILE *out, const char *again)
{
    struct prose_html open = {false, false};
    struct prose page = {out, 80, &open, false};
    put_header(f, out);
    story_body(f, &page, again);
    prose_close(&page);
    if (open.section)
        fputs("</section>\n", out);
}

void story_html(const struct story_facts *f, FILE *out, const char *again)
{
    char title[64];
    snprintf(title, sizeof title, "edgewatch: failure %" PRId64 ", %s",
             field_int(f->failure, "id", 0), field_text(f->failure, "verdict"));
    html_page_begin(out, title, NULL);
    fputs("<main>\n", out);
    story_html_body(f, out, again);
    html_element(out, "footer", NULL,
                 "edgewatch " EW_VERSION
                 ". Verdict and facts are what the packets show; hypotheses are "
                 "marked as such.");
    fputs("</main>\n", out);
    html_page_end(out);
}
