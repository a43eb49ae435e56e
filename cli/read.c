/* read FILE...: captures into the database. */
#include "cli/confine.h"
#include "cli/engine.h"
#include "cli/setup.h"

#include "capture/log.h"

enum { NAMES = 1024 };

static int read_files(const struct command *self, const struct settings *s, struct sources *sources,
                      struct keys *keys, int n, char **paths)
{
    char names[NAMES];
    for (int i = 0; i < n; i++) {
        enum source_error e = sources_add_file(sources, paths[i]);
        if (e != SOURCE_OK) {
            log_error("%s", sources_error_text(sources));
            return engine_exit_of(e);
        }
    }
    int code = confine(s, &(struct confinement){.live = false});
    if (code == EXIT_DONE)
        code = setup_check_privacy(s);
    if (code != EXIT_DONE)
        return code;
    struct engine_job job = {
        .command = self->name,
        .settings = s,
        .sources = sources,
        .keys = keys,
        .names = engine_names(n, (const char *const *)paths, names, sizeof names),
    };
    return engine_run(&job);
}

int read_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    struct keys *keys;
    int code = keys_open(s, false, &keys);
    if (code != EXIT_DONE)
        return code;
    struct sources *sources = sources_new(&(struct source_options){.filter = s->filter});
    if (!sources) {
        log_error("no memory");
        keys_close(keys);
        return EXIT_UNAVAILABLE;
    }
    code = read_files(self, s, sources, keys, argc, argv);
    sources_free(sources);
    keys_close(keys);
    return code;
}
