/* Lines of a page with the escapes of ECMA-48 (SGR) between their words. */
#include "report/paint.h"

#include "flows/verdict.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { SHORTEST_CAPITALS = 2 };

#define PLAIN "\033[0m"
#define STRONG "\033[1m"
#define QUIET "\033[2m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"

struct page {
    FILE *out;
    char *line;
    size_t n, room;
};

bool paint_wanted(FILE *out, const char *when)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    int fd = fileno(out);
    if (when && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    return fd >= 0 && isatty(fd) && term && *term && strcmp(term, "dumb") != 0 && !(no && *no);
}

/* ---- words ---- */

static bool is_edge(char c)
{
    return c == 0 || c == ' ' || c == ',' || c == ':' || c == ';' || c == '(' || c == ')';
}

/* Of a word that says how bad it is. NULL for all others. */
static const char *colour_of(const char *word, size_t n, bool after_grade)
{
    static const struct {
        const char *word, *colour;
    } words[] = {
        {"RST", RED},       {"ICMP", YELLOW},     {"blind", YELLOW}, {"lossy", YELLOW},
        {"likely", STRONG}, {"unreachable", RED}, {"conflict", RED},
    };
    char name[32];
    if (n >= sizeof name)
        return NULL;
    memcpy(name, word, n);
    name[n] = 0;
    if (after_grade && n == 1)
        return *name == 'A' ? GREEN : *name == 'B' ? YELLOW : QUIET;
    enum verdict v = verdict_by_name(name);
    if (v != VERDICTS)
        return v == VERDICT_CONNECTED                          ? GREEN
               : v == VERDICT_NOT_TRIED || v == VERDICT_UNSEEN ? QUIET
                                                               : RED;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, name) == 0)
            return words[i].colour;
    return NULL;
}

static void put_words(const char *p, size_t n, FILE *out)
{
    bool after_grade = false;
    for (size_t i = 0, word; i < n; i += word) {
        for (word = 0; i + word < n && !is_edge(p[i + word]);)
            word++;
        const char *colour = word ? colour_of(p + i, word, after_grade) : NULL;
        after_grade =
            word ? word == 5 && strncasecmp(p + i, "grade", 5) == 0 : after_grade && p[i] == ' ';
        word += word == 0;
        fprintf(out, "%s%.*s%s", colour ? colour : "", (int)word, p + i, colour ? PLAIN : "");
    }
}

/* ---- lines ---- */

/* How many characters of capitals and blanks between them stand at p, 0 for less than a word. */
static size_t capitals(const char *p, size_t n)
{
    size_t used = 0, in_word = 0, longest = 0;
    for (size_t i = 0; i < n; i++) {
        if (isupper((unsigned char)p[i])) {
            longest = ++in_word > longest ? in_word : longest;
            used = i + 1;
        } else if (p[i] == ' ' && in_word)
            in_word = 0;
        else if (isalnum((unsigned char)p[i]) || p[i] == '.' || p[i] == '-' || p[i] == '_')
            return in_word ? 0 : used; /* a word that only begins so */
        else
            break;
    }
    return longest >= SHORTEST_CAPITALS ? used : 0;
}

/* Names of columns: words in capitals, two blanks between two of them, no number. */
static bool is_head(const char *p, size_t n)
{
    size_t gaps = 0;
    if (n < 2 || !isupper((unsigned char)*p))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (isdigit((unsigned char)p[i]))
            return false;
        gaps += i + 2 < n && p[i] == ' ' && p[i + 1] == ' ' && isupper((unsigned char)p[i + 2]);
    }
    return gaps > 0 && capitals(p, strcspn(p, " ")) > 0;
}

/* "ok", "look", "bad" in front of what doctor looked at. */
static const char *judgement(const char *p, size_t n)
{
    static const struct {
        const char *word, *colour;
    } words[] = {{"ok    ", GREEN}, {"look  ", YELLOW}, {"bad   ", RED}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (n > 6 && strncmp(p, words[i].word, 6) == 0)
            return words[i].colour;
    return NULL;
}

static void put_line(const char *p, size_t n, FILE *out)
{
    size_t indent = 0, strong = 0;
    while (indent < n && p[indent] == ' ')
        indent++;
    const char *colour = indent == 0 ? judgement(p, n) : NULL;
    bool info = memmem(p, n, " (info) ", 8) != NULL;
    fwrite(p, 1, indent, out);
    p += indent;
    n -= indent;
    if (is_head(p, n) || info) {
        fprintf(out, "%s%.*s" PLAIN, info || indent ? QUIET : STRONG, (int)n, p);
        return;
    }
    if (n > 2 && p[0] == '*' && p[1] == ' ')
        strong = 1; /* the pair that was tried */
    else if (colour)
        strong = strcspn(p, " ");
    else if (indent == 0)
        strong = capitals(p, n);
    if (strong)
        fprintf(out, "%s%.*s" PLAIN, colour ? colour : STRONG, (int)strong, p);
    put_words(p + strong, n - strong, out);
}

/* ---- the stream ---- */

static bool add(struct page *p, const char *text, size_t n)
{
    if (p->n + n > p->room) {
        size_t room = 2 * (p->n + n) + 256;
        char *more = realloc(p->line, room);
        if (!more)
            return false;
        p->line = more;
        p->room = room;
    }
    memcpy(p->line + p->n, text, n);
    p->n += n;
    return true;
}

static ssize_t take(void *cookie, const char *text, size_t size)
{
    struct page *p = cookie;
    for (size_t i = 0; i < size;) {
        const char *end = memchr(text + i, '\n', size - i);
        size_t n = end ? (size_t)(end - text) - i : size - i;
        if (!add(p, text + i, n))
            return 0;
        i += n + (end != NULL);
        if (!end)
            continue;
        put_line(p->line, p->n, p->out);
        fputc('\n', p->out);
        p->n = 0;
    }
    return (ssize_t)size;
}

static int finish(void *cookie)
{
    struct page *p = cookie;
    if (p->n)
        put_line(p->line, p->n, p->out);
    free(p->line);
    free(p);
    return 0;
}

FILE *paint_begin(FILE *out, const char *when)
{
    struct page *p = paint_wanted(out, when) ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return out;
    p->out = out;
    FILE *page = fopencookie(p, "w", (cookie_io_functions_t){.write = take, .close = finish});
    if (page)
        return page;
    free(p);
    return out;
}

void paint_end(FILE *page, FILE *out)
{
    if (page != out)
        fclose(page);
}
