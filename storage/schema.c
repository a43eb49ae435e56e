/* schema.sql, taken in by the assembler: one text serves the program and the curious reader. */
#include "storage/schema.h"

__asm__(".section .rodata\n"
        ".global schema_text\n"
        "schema_text:\n"
        ".incbin \"storage/schema.sql\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char schema_text[];

/* Version 1 is the first: there is nothing older to bring up yet. A change of schema.sql adds
 * {2, "ALTER TABLE ..."} here and counts version up. */
const struct schema schema_edgewatch = {
    .application_id = 0x45576462, /* "EWdb" */
    .version = 1,
    .fresh = schema_text,
};
