/* monitor -i IF: live, until a signal. Root is given up between opening the interfaces and all
 * else. */
#include "cli/engine.h"
#include "cli/setup.h"

#include "capture/log.h"
#include "capture/privs.h"

#include <pwd.h>
#include <unistd.h>

enum { NAMES = 1024 };

static int open_interfaces(const struct settings *s, struct sources *sources)
{
    for (unsigned i = 0; i < s->interface.n; i++) {
        enum source_error e = sources_add_interface(sources, s->interface.items[i]);
        if (e != SOURCE_OK) {
            log_error("%s", sources_error_text(sources));
            return engine_exit_of(e);
        }
    }
    return EXIT_DONE;
}

static int listen_on(const struct command *self, const struct settings *s, struct sources *sources)
{
    char names[NAMES], why[PRIVS_TEXT];
    int code = open_interfaces(s, sources);
    if (code != EXIT_DONE)
        return code;
    bool was_root = geteuid() == 0;
    if (privs_drop(s->account, why) != 0) {
        log_error("%s", why);
        return EXIT_PERMISSION;
    }
    const struct passwd *pw = getpwuid(geteuid());
    struct engine_job job = {
        .command = self->name,
        .settings = s,
        .sources = sources,
        .names = engine_names((int)s->interface.n, s->interface.items, names, sizeof names),
        .live = true,
        .account = !was_root ? NULL
                   : pw      ? pw->pw_name
                             : "an ordinary account",
    };
    return engine_run(&job);
}

int monitor_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    (void)argc, (void)argv;
    if (s->interface.n == 0) {
        log_error("%s: no interface: -i IF, or interface = IF under [capture]", self->name);
        return EXIT_USAGE;
    }
    int code = setup_check_keys(s);
    if (code != EXIT_DONE)
        return code;
    struct sources *sources = sources_new(&(struct source_options){
        .filter = s->filter,
        .snaplen = (uint32_t)s->snaplen,
        .ring_mb = (uint32_t)s->ring_mb,
        .no_promisc = s->no_promisc,
    });
    if (!sources) {
        log_error("no memory");
        return EXIT_UNAVAILABLE;
    }
    code = listen_on(self, s, sources);
    sources_free(sources);
    return code;
}
