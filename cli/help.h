/*
 * Help texts, made from the tables of commands and options.
 */
#ifndef EW_CLI_HELP_H
#define EW_CLI_HELP_H

#include "cli/command.h"

#include <stdio.h>

/* The list of commands. */
void help_program(FILE *out, const struct command *commands, unsigned n);
/* Usage, options, exit codes and examples of one. */
void help_command(FILE *out, const struct command *c);

#endif
