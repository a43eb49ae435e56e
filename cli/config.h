/*
 * The configuration file: INI through libinih, the option's name as key, in the section that the
 * table of options gives it. See edgewatch.conf(5).
 */
#ifndef EW_CLI_CONFIG_H
#define EW_CLI_CONFIG_H

#include "cli/options.h"

enum { CONFIG_TEXT = 512 };

/* Adds what the file says to *s: an option given on the command line wins, repeatable ones are
 * joined. 0, or -1 with a message that names file and line. */
int config_read(const char *path, struct settings *s, char why[CONFIG_TEXT]);

/* Where the file is looked for: --config, $EDGEWATCH_CONFIG, else the usual place. */
const char *config_path(const struct settings *s);

/* Finds the file (--config, $EDGEWATCH_CONFIG, /etc/edgewatch/edgewatch.conf, which may be absent),
 * reads it, and settles the database's path. 0 or -1 as above. */
int config_load(struct settings *s, char why[CONFIG_TEXT]);

#endif
