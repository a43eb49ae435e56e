/* Settings, a second time. */
#include "cli/reload.h"

#include <stdio.h>
#include <string.h>

/* What a running monitor takes over; all else takes a new start. */
static const char *const reloads[] = {"nat",      "edge",      "relay-ports",
                                      "sip-port", "turn-port", "quiet"};

static bool takes_over(const char *name)
{
    for (size_t i = 0; i < sizeof reloads / sizeof *reloads; i++)
        if (strcmp(reloads[i], name) == 0)
            return true;
    return false;
}

int reload_settings(const struct settings *old, struct settings *fresh, char why[CONFIG_TEXT])
{
    int command, rest;
    *fresh = (struct settings){.words = old->words, .word = old->word, .mask = old->mask};
    /* the same words were understood when the program started */
    if (options_parse(fresh, 0, old->words, old->word, &command, why, CONFIG_TEXT) == 0 &&
        options_parse(fresh, old->mask, old->words - command, old->word + command, &rest, why,
                      CONFIG_TEXT) == 0 &&
        config_load(fresh, why) == 0)
        return 0;
    settings_free(fresh);
    return -1;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(const struct text_list *a, const struct text_list *b)
{
    bool same = a->n == b->n;
    for (unsigned i = 0; same && i < a->n; i++)
        same = same_text(a->items[i], b->items[i]);
    return same;
}

static bool same_value(const struct option_def *d, const struct settings *a,
                       const struct settings *b)
{
    const void *x = (const char *)a + d->at, *y = (const char *)b + d->at;
    switch (d->kind) {
    case OPTION_FLAG:
        return *(const bool *)x == *(const bool *)y;
    case OPTION_NUMBER:
        return *(const int64_t *)x == *(const int64_t *)y;
    case OPTION_TEXT:
        return same_text(*(const char *const *)x, *(const char *const *)y);
    case OPTION_LIST:
        return same_list(x, y);
    }
    return true;
}

const char *reload_left_out(const struct settings *old, const struct settings *fresh, char *out,
                            size_t room)
{
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; i < n_option_defs && used < room; i++) {
        const struct option_def *d = &option_defs[i];
        if (takes_over(d->name) || !(d->commands & (old->mask | ON_ALL)) ||
            same_value(d, old, fresh))
            continue;
        used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "", d->name);
    }
    return out;
}
