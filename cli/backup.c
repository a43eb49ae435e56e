/* backup FILE: a copy of the database, also while a monitor writes it. */
#include "cli/command.h"

#include "capture/log.h"
#include "storage/backup.h"

int backup_run(const struct command *self, const struct settings *s, int argc, char **argv)
{
    static const int codes[] = {
        [BACKUP_OK] = EXIT_DONE,
        [BACKUP_NO_DATABASE] = EXIT_DATABASE,
        [BACKUP_NO_OUTPUT] = EXIT_NO_OUTPUT,
    };
    char why[512] = "";
    long long bytes;
    (void)self;
    (void)argc;
    enum backup_result result = backup_make(s->db, argv[0], &bytes, why, sizeof why);
    if (result != BACKUP_OK)
        log_error("%s", why);
    else if (!s->quiet)
        log_info("%s is a copy of %s: %.1f MB", argv[0], s->db, (double)bytes / 1e6);
    return codes[result];
}
