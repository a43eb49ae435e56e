/* Decoding ICEWarn values and diagnostics headers: as a page, and for the API. */
#include "report/web.h"

#include "report/diagnosis.h"
#include "report/html.h"
#include "report/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DECODE_WIDTH = 78, DECODE_MOST = 8192 };

/* In plain words, in memory of its own; NULL if it is neither of both (or no memory is left). */
static char *decode(const char *text)
{
    char *words = NULL;
    size_t n = 0;
    uint32_t value;
    FILE *out = strlen(text) <= DECODE_MOST ? open_memstream(&words, &n) : NULL;
    if (!out)
        return NULL;
    struct prose page = {.out = out, .width = DECODE_WIDTH};
    bool known = true;
    if (diagnosis_icewarn_parse(text, &value))
        diagnosis_icewarn(&page, 0, value);
    else
        known = diagnosis_header(&page, slice_str(text)) == 0;
    if (fclose(out) == 0 && known)
        return words;
    free(words);
    return NULL;
}

#define NEITHER "neither an ICEWarn value (0x320) nor a diagnostics header (24;reason=...)"

static void put_form(struct web *w, const char *text)
{
    fputs(
        "<form class=\"filter wide\" action=\"/decode\" method=\"get\">\n"
        "<div><label for=\"f-text\">ICEWarn value, or a whole ms-client-diagnostics, "
        "ms-diagnostics "
        "or ms-diagnostics-public header</label>"
        "<textarea id=\"f-text\" name=\"text\" rows=\"4\" maxlength=\"8000\" spellcheck=\"false\" "
        "autocomplete=\"off\">",
        w->out);
    html_text(w->out, text);
    fputs(
        "</textarea></div>\n<div class=\"buttons\"><button type=\"submit\">Explain</button></div>\n"
        "</form>\n",
        w->out);
}

int web_decode(struct web *w)
{
    const char *text = web_arg(w, "text");
    web_begin(w, "/decode", "Decode");
    put_form(w, text ? text : "");
    if (text) {
        char *words = decode(text);
        fputs("<h2>In plain words</h2>\n", w->out);
        if (words) {
            web_pre(w->out, words);
        } else {
            html_element(w->out, "p", "banner", "This is " NEITHER ".");
        }
        free(words);
    } else {
        fputs(
            "<p class=\"note\">Examples: <a href=\"/decode?text=0x320\">0x320</a>, <a "
            "href=\"/decode?text=24%3B%20reason%3D%22Call%20failed%22%3BCallerMediaDebug%3D%22"
            "application-sharing%3AICEWarn%3D0x320%2CLocalSite%3D10.0.0.1%3A5000%22\">a header</a>."
            "</p>\n",
            w->out);
    }
    web_end(w);
    return 200;
}

int web_api_decode(struct web *w)
{
    const char *text = web_arg(w, "text");
    uint32_t value;
    if (!text)
        return web_fail(w, 400, "text: is missing");
    char *words = decode(text);
    if (!words)
        return web_fail(w, 400, "text: is " NEITHER);
    json_t *o = json_pack("{s:o, s:o, s:o}", "text", json_safe(text), "icewarn",
                          diagnosis_icewarn_parse(text, &value) ? json_integer(value) : json_null(),
                          "explanation", json_safe(words));
    free(words);
    json_write(o, JSON_COMPACT, w->out);
    fputc('\n', w->out);
    json_decref(o);
    return 200;
}
