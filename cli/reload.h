/*
 * SIGHUP: the command line and the configuration file, read anew by a running monitor.
 */
#ifndef EW_CLI_RELOAD_H
#define EW_CLI_RELOAD_H

#include "cli/config.h"

/* Reads into *fresh (settings_free() it) what the words of old and the file say now. 0; -1 with a
 * message that names file and line, *fresh then holds nothing. */
int reload_settings(const struct settings *old, struct settings *fresh, char why[CONFIG_TEXT]);

/* The names of options whose values differ and that a running monitor cannot take over (interfaces,
 * database ...), as "a, b"; empty if none. */
const char *reload_left_out(const struct settings *old, const struct settings *fresh, char *out,
                            size_t room);

#endif
