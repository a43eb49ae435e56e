/*
 * Settings as the engine's configuration.
 */
#ifndef EW_CLI_SETUP_H
#define EW_CLI_SETUP_H

#include "capture/shed.h"
#include "cli/options.h"
#include "flows/pipeline.h"
#include "storage/privacy.h"

enum { SETUP_NAME = 256 };

struct setup {
    struct engine_config config; /* points into what follows and into the settings */
    struct fact_alias *aliases;
    struct addr *edges;
    uint16_t *sip_ports, *turn_ports;
    char host[SETUP_NAME]; /* default name of the sensor */
};

/* 0, or -1 without memory. */
int setup_make(const struct settings *s, struct setup *out);
void setup_free(struct setup *u);
/* The lists of other settings in place of those that u has; the sensor's name stays. What pointed
 * into the earlier ones must not be used any more. 0, or -1 without memory: u is as it was. */
int setup_again(const struct settings *s, struct setup *u);

/* What the kernel may cut of packets, by these settings; see source_options.shed. */
void setup_shed(const struct settings *s, struct shed_config *out);
uint64_t setup_shed_above(const struct settings *s);
/* What is to be stored as pseudonyms. Lent. */
struct privacy_config setup_privacy(const struct settings *s);
/* Can a key that is named be used? 0, or an exit code after a message. */
int setup_check_privacy(const struct settings *s);

#endif
