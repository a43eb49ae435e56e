/* Help texts. */
#include "cli/help.h"

#include "report/prose.h"
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_HANG = 28, COMMAND_HANG = 15, EXIT_HANG = 7 };

static const struct {
    int code;
    const char *words;
} exit_words[] = {
    {EXIT_DONE, "done"},
    {EXIT_FOUND, "--exit-code was given and there are failures"},
    {EXIT_USAGE, "wrong usage"},
    {EXIT_BAD_INPUT, "input damaged, empty or of an unknown kind (what stood before the damage is "
                     "stored)"},
    {EXIT_NO_INPUT, "input cannot be opened, or no such ID"},
    {EXIT_UNAVAILABLE, "interface, service or sqlite3 not available"},
    {EXIT_NO_OUTPUT, "output cannot be created or written"},
    {EXIT_DATABASE, "database cannot be opened, read or written"},
    {EXIT_PERMISSION, "no permission"},
    {EXIT_CONFIG, "bad or missing configuration or key file"},
};

static void put_option(const struct prose *p, const struct option_def *d)
{
    char lead[64];
    snprintf(lead, sizeof lead, "%c%c%s --%s%s%s", d->letter ? '-' : ' ',
             d->letter ? d->letter : ' ', d->letter ? "," : " ", d->name, d->arg ? " " : "",
             d->arg ? d->arg : "");
    prose_lead(p, 2, OPTION_HANG, lead, d->help);
}

static void put_options(const struct prose *p, unsigned mask)
{
    for (unsigned i = 0; i < n_option_defs; i++)
        if (option_defs[i].commands & mask)
            put_option(p, &option_defs[i]);
}

static bool gives(const struct command *c, int code)
{
    char text[8];
    snprintf(text, sizeof text, "%d", code);
    if (code == EXIT_USAGE || (code == EXIT_CONFIG && !c->no_config))
        return true;
    for (const char *at = c->exits; (at = strstr(at, text)); at++)
        if ((at == c->exits || at[-1] == ' ') && (!at[strlen(text)] || at[strlen(text)] == ' '))
            return true;
    return false;
}

static void put_exits(const struct prose *p, const struct command *c)
{
    char lead[8];
    for (size_t i = 0; i < sizeof exit_words / sizeof *exit_words; i++) {
        if (!gives(c, exit_words[i].code))
            continue;
        snprintf(lead, sizeof lead, "%3d", exit_words[i].code);
        prose_lead(p, 2, EXIT_HANG, lead, exit_words[i].words);
    }
}

void help_command(FILE *out, const struct command *c)
{
    struct prose p = prose_on(out);
    fprintf(out, "usage: edgewatch %s%s%s%s\n\n", c->name, *c->args ? " " : "", c->args,
            c->options & ~(unsigned)ON_ALL ? " [options]" : "");
    prose_text(&p, 0, "%s", c->about);
    if (c->options & ~(unsigned)ON_ALL) {
        prose_heading(&p, "options");
        put_options(&p, c->options);
    }
    prose_heading(&p, "options of every command");
    put_options(&p, ON_ALL);
    prose_heading(&p, "exit codes");
    put_exits(&p, c);
    prose_heading(&p, "examples");
    fputs(c->example, out);
}

void help_program(FILE *out, const struct command *commands, unsigned n)
{
    struct prose p = prose_on(out);
    fputs("usage: edgewatch [--db FILE] [--config FILE] COMMAND ...\n\n", out);
    prose_text(&p, 0,
               "Watches the Edge of a Lync or Skype for Business site (and any SIP + ICE + "
               "TURN site) for media connections that were agreed on and failed, and says "
               "which leg of which call broke.");
    prose_heading(&p, "commands");
    for (unsigned i = 0; i < n; i++) {
        char lead[64];
        snprintf(lead, sizeof lead, "%s", commands[i].name);
        prose_lead(&p, 2, COMMAND_HANG, lead, commands[i].summary);
    }
    prose_heading(&p, "options of every command");
    put_options(&p, ON_ALL);
    fputs("\nedgewatch help COMMAND tells more of one; edgewatch(1) of all.\n", out);
}
