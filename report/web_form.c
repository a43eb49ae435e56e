/* Forms, filled with what the address says. */
#include "report/web_form.h"

#include "flows/findings.h"
#include "flows/verdict.h"
#include "report/html.h"

#include <string.h>

static void text_field(struct web *w, const char *name, const char *label, const char *hint)
{
    const char *value = web_arg(w, name);
    fprintf(
        w->out,
        "<div><label for=\"f-%s\">%s</label><input id=\"f-%s\" name=\"%s\" type=\"text\" "
        "maxlength=\"300\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"%s\" value=\"",
        name, label, name, name, hint);
    html_text(w->out, value);
    fputs("\"></div>\n", w->out);
}

static void choice(struct web *w, const char *now, const char *value, size_t n)
{
    bool on = now && strlen(now) == n && memcmp(now, value, n) == 0;
    fprintf(w->out, "<option%s>%.*s</option>", on ? " selected" : "", (int)n, value);
}

static void select_begin(struct web *w, const char *name, const char *label)
{
    fprintf(w->out,
            "<div><label for=\"f-%s\">%s</label><select id=\"f-%s\" name=\"%s\">"
            "<option value=\"\">any</option>",
            name, label, name, name);
}

static void select_end(struct web *w)
{
    fputs("</select></div>\n", w->out);
}

static void verdict_field(struct web *w)
{
    select_begin(w, "verdict", "Verdict");
    for (int v = VERDICT_REFUSED; v < VERDICTS; v++) {
        const char *name = verdict_name((enum verdict)v);
        choice(w, web_arg(w, "verdict"), name, strlen(name));
    }
    select_end(w);
}

static void finding_field(struct web *w)
{
    select_begin(w, "finding", "Finding");
    for (const char *code = FINDING_CODES; *code;) {
        size_t n = strcspn(code, ",");
        choice(w, web_arg(w, "finding"), code, n);
        code += n;
        code += strspn(code, ", ");
    }
    select_end(w);
}

static void grade_field(struct web *w)
{
    select_begin(w, "grade", "Grade");
    choice(w, web_arg(w, "grade"), "A", 1);
    choice(w, web_arg(w, "grade"), "B", 1);
    choice(w, web_arg(w, "grade"), "C", 1);
    select_end(w);
}

static void begin(struct web *w, const char *path)
{
    fprintf(w->out, "<form class=\"filter\" action=\"%s\" method=\"get\" role=\"search\">\n", path);
}

static void end(struct web *w, const char *path)
{
    fprintf(w->out,
            "<div class=\"buttons\"><button type=\"submit\">Search</button> "
            "<a href=\"%s\">Clear</a></div>\n</form>\n",
            path);
}

void form_failures(struct web *w)
{
    const char *all = web_arg(w, "all");
    begin(w, "/failures");
    text_field(w, "since", "Since", "2h ago");
    text_field(w, "until", "Until", "now");
    text_field(w, "user", "User", "part of the address");
    text_field(w, "partner", "Partner", "address or domain");
    text_field(w, "addr", "Address", "at either end");
    verdict_field(w);
    finding_field(w);
    grade_field(w);
    if (web_arg(w, "call"))
        text_field(w, "call", "Call-ID", "");
    fprintf(w->out,
            "<div class=\"check\"><input id=\"f-all\" type=\"checkbox\" name=\"all\" value=\"1\"%s>"
            "<label for=\"f-all\">also info</label></div>\n",
            all && strcmp(all, "0") != 0 ? " checked" : "");
    end(w, "/failures");
}

void form_calls(struct web *w)
{
    begin(w, "/calls");
    text_field(w, "since", "Since", "2h ago");
    text_field(w, "until", "Until", "now");
    text_field(w, "user", "User", "part of the address");
    text_field(w, "call", "Call-ID", "the whole of it");
    grade_field(w);
    end(w, "/calls");
}

void form_covered(struct web *w, tick_t since, tick_t until, bool old)
{
    fputs("<p class=\"eyebrow\">", w->out);
    web_time(w->out, since);
    fputs(" to ", w->out);
    web_time(w->out, until);
    if (old)
        fputs(". The newest packets are more than an hour old: this counts back from them.",
              w->out);
    fputs("</p>\n", w->out);
}

void form_spans(struct web *w, const char *path)
{
    static const struct {
        const char *hours, *word;
    } spans[] = {{"1", "Last hour"}, {"24", "Last day"}, {"168", "Last week"}};
    const char *now = web_arg(w, "hours");
    bool own = web_arg(w, "since") || web_arg(w, "until");
    fputs("<ul class=\"spans\">\n", w->out);
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        bool on = !own && strcmp(now ? now : "24", spans[i].hours) == 0;
        fprintf(w->out, "<li><a href=\"%s?hours=%s\"%s>%s</a></li>\n", path, spans[i].hours,
                on ? " aria-current=\"true\"" : "", spans[i].word);
    }
    fputs("</ul>\n", w->out);
}

void form_period(struct web *w, const char *path)
{
    form_spans(w, path);
    begin(w, path);
    text_field(w, "since", "Since", "yesterday");
    text_field(w, "until", "Until", "now");
    end(w, path);
}
