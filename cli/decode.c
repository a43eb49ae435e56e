/* decode TEXT: ICEWarn values and diagnostics headers in plain words. */
#include "cli/command.h"

#include "capture/log.h"
#include "report/diagnosis.h"
#include "report/paint.h"

#include <string.h>

enum { DECODE_MOST = 16384 };

/* The words of the command line as one text: quotes are easily forgotten. False: too long. */
static bool join(int argc, char **argv, char out[DECODE_MOST])
{
    size_t n = 0;
    for (int i = 0; i < argc; i++) {
        size_t more = strlen(argv[i]);
        if (n + more + 2 > DECODE_MOST)
            return false;
        if (i)
            out[n++] = ' ';
        memcpy(out + n, argv[i], more);
        n += more;
    }
    out[n] = 0;
    return true;
}

int decode_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    char text[DECODE_MOST];
    uint32_t value;
    struct prose page = prose_on(stdout);
    if (!join(argc, argv, text)) {
        log_error("%s: the text is longer than %d bytes", self->name, DECODE_MOST);
        return EXIT_USAGE;
    }
    page.out = paint_begin(stdout, s->color);
    bool known = diagnosis_icewarn_parse(text, &value);
    if (known)
        diagnosis_icewarn(&page, 0, value);
    else
        known = diagnosis_header(&page, slice_str(text)) == 0;
    paint_end(page.out, stdout);
    if (known)
        return EXIT_DONE;
    log_error(
        "%s: neither an ICEWarn value (0x320) nor a diagnostics header (24;reason=...): %.60s",
        self->name, text);
    return EXIT_USAGE;
}
