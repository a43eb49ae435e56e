/* monitor: live, from interfaces and feeds, until a signal. Root is given up between opening them
 * and all else. */
#include "cli/confine.h"
#include "cli/engine.h"
#include "cli/outlets.h"
#include "cli/setup.h"

#include "capture/feed.h"
#include "capture/log.h"
#include "capture/privs.h"

#include <pwd.h>
#include <unistd.h>

enum { NAMES = 1024, SOURCES_NAMED = 64 };

static int not_opened(const struct sources *sources, enum source_error e)
{
    log_error("%s", sources_error_text(sources));
    return engine_exit_of(e);
}

static int open_sources(const struct settings *s, struct sources *sources)
{
    for (unsigned i = 0; i < s->interface.n; i++) {
        enum source_error e = sources_add_interface(sources, s->interface.items[i]);
        if (e != SOURCE_OK)
            return not_opened(sources, e);
    }
    for (unsigned i = 0; i < s->hep.n; i++) {
        enum source_error e = sources_add_hep(sources, s->hep.items[i]);
        if (e != SOURCE_OK)
            return not_opened(sources, e);
    }
    for (unsigned i = 0; i < s->sdn.n; i++) {
        enum source_error e =
            sources_add_sdn(sources, &(struct feed_sdn){s->sdn.items[i], s->sdn_cert, s->sdn_key,
                                                        s->sdn_token_file});
        if (e != SOURCE_OK)
            return not_opened(sources, e);
    }
    return EXIT_DONE;
}

/* "eth1, eth2, hep:127.0.0.1:9060" */
static char *source_names(const struct sources *sources, char *out, size_t room)
{
    const char *names[SOURCES_NAMED];
    int n = 0;
    for (unsigned i = 0; i < sources_iface_count(sources) && n < SOURCES_NAMED; i++)
        names[n++] = sources_iface_name(sources, i);
    return engine_names(n, names, out, room);
}

static int listen_on(const struct command *self, const struct settings *s, struct sources *sources,
                     struct outlets *outlets, struct keys *keys)
{
    char names[NAMES], why[PRIVS_TEXT];
    int code = open_sources(s, sources);
    if (code == EXIT_DONE)
        code = outlets_open(outlets, s);
    if (code != EXIT_DONE)
        return code;
    bool was_root = geteuid() == 0;
    if (privs_drop(s->account, why) != 0) {
        log_error("%s", why);
        return EXIT_PERMISSION;
    }
    keys_protect(keys);
    const struct passwd *pw = getpwuid(geteuid());
    outlets_find(outlets);
    code = confine(s, &(struct confinement){.live = true});
    if (code == EXIT_DONE)
        code = setup_check_privacy(s); /* as the account that will need it */
    if (code != EXIT_DONE)
        return code;
    struct engine_job job = {
        .command = self->name,
        .settings = s,
        .sources = sources,
        .keys = keys,
        .names = source_names(sources, names, sizeof names),
        .live = true,
        .outlets = outlets,
        .account = !was_root ? NULL
                   : pw      ? pw->pw_name
                             : "an ordinary account",
    };
    return engine_run(&job);
}

static int with_keys(const struct command *self, const struct settings *s, struct outlets *outlets,
                     struct keys *keys)
{
    struct shed_config shed;
    setup_shed(s, &shed);
    struct sources *sources = sources_new(&(struct source_options){
        .filter = s->filter,
        .snaplen = (uint32_t)s->snaplen,
        .ring_mb = (uint32_t)s->ring_mb,
        .no_promisc = s->no_promisc,
        .shed = s->no_shed ? NULL : &shed,
        .shed_above = setup_shed_above(s),
    });
    if (!sources) {
        log_error("no memory");
        return EXIT_UNAVAILABLE;
    }
    int code = listen_on(self, s, sources, outlets, keys);
    outlets_close(outlets);
    sources_free(sources);
    return code;
}

int monitor_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    if (s->interface.n == 0 && s->hep.n == 0 && s->sdn.n == 0) {
        log_error(
            "%s: no interface: -i IF, or interface = IF under [capture] (or a feed: --hep, --sdn)",
            self->name);
        return EXIT_USAGE;
    }
    if (!s->sdn_cert != !s->sdn_key) {
        log_error("%s: --sdn-cert and --sdn-key belong together", self->name);
        return EXIT_USAGE;
    }
    struct outlets outlets = {0};
    struct keys *keys = NULL;
    int code = outlets_fork(&outlets, s);
    if (code == EXIT_DONE)
        code = keys_open(s, true, &keys);
    if (code == EXIT_DONE)
        code = with_keys(self, s, &outlets, keys);
    outlets_close(&outlets);
    keys_close(keys);
    return code;
}
