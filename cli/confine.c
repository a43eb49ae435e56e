/* From settings to the sandbox. */
#include "cli/confine.h"

#include "capture/log.h"
#include "capture/sandbox.h"
#include "cli/config.h"
#include "cli/exits.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYLOGS = 16 };

/* The folder of a file that may not be there yet; symbolic links are followed, as SQLite does. */
static const char *folder_of(const char *file, char out[PATH_MAX])
{
    char copy[PATH_MAX], real[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", realpath(file, real) ? real : file);
    const char *folder = dirname(copy);
    snprintf(out, PATH_MAX, "%s", realpath(folder, real) ? real : folder);
    return out;
}

static void add(const char *list[SANDBOX_PATHS], const char *path)
{
    unsigned n = 0;
    while (n < SANDBOX_PATHS && list[n])
        n++;
    if (n < SANDBOX_PATHS - 1)
        list[n] = path;
}

int confine(const struct settings *s, const struct confinement *c)
{
    static char keylogs[KEYLOGS][PATH_MAX];
    char database[PATH_MAX], above[PATH_MAX], configuration[PATH_MAX], why[SANDBOX_TEXT];
    struct sandbox box = {
        /* SQLite's random numbers; local times in messages; counters of interfaces */
        .readable = {"/dev/urandom", "/etc/localtime", "/usr/share/zoneinfo", "/sys/class/net",
                     "/sys/devices"},
        .inputs = c->inputs,
        .n_inputs = c->n_inputs,
        .interfaces = c->live,
    };
    if (c->scratch)
        box.swept = folder_of(c->scratch, above);
    add(box.own, c->scratch ? c->scratch : folder_of(s->db, database));
    if (s->privacy_key)
        add(box.readable, s->privacy_key);
    if (c->live) /* the folder: an editor puts a new file in the old one's place */
        add(box.readable, folder_of(config_path(s), configuration));
    for (unsigned i = 0; c->live && i < s->keylog.n && i < KEYLOGS; i++) /* and so does rotation */
        add(box.readable, folder_of(s->keylog.items[i], keylogs[i]));
    switch (sandbox_enter(&box, why)) {
    case SANDBOX_WHOLE:
        return EXIT_DONE;
    case SANDBOX_NO_LANDLOCK:
        if (c->live)
            log_warn("this kernel has no Landlock: the account's own rights are all that keeps "
                     "edgewatch from other files");
        return EXIT_DONE;
    case SANDBOX_FAILED:
        break;
    }
    log_error("%s", why);
    return EXIT_PERMISSION;
}
