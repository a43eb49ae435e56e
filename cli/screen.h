/*
 * The door to ncurses: a terminal that is written row by row and asked for keys. In a locale
 * without UTF-8 every character beyond ASCII is shown as '?'. One at a time: ncurses keeps it in
 * globals.
 */
#ifndef EW_CLI_SCREEN_H
#define EW_CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

enum screen_look {
    SCREEN_PLAIN,
    SCREEN_STRONG,   /* bold */
    SCREEN_QUIET,    /* dim */
    SCREEN_BAD,      /* red and bold */
    SCREEN_GOOD,     /* green */
    SCREEN_BAR,      /* reversed: title, keys */
    SCREEN_SELECTED, /* reversed and bold */
};

enum screen_key {
    SCREEN_NONE = 0, /* time is up, or a signal came */
    SCREEN_UP = 1000,
    SCREEN_DOWN,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_HOME,
    SCREEN_END,
    SCREEN_ENTER,
    SCREEN_ESCAPE,
    SCREEN_TAB,
    SCREEN_RESIZED,
    /* below 256: the character itself */
};

/* Takes the terminal over. False with a reason. */
bool screen_begin(char *why, size_t room);
void screen_end(void);

void screen_size(int *rows, int *columns);
/* Waits at most ms. */
int screen_key(int ms);

/* Between these two the picture is written; screen_show() puts it on the terminal at once. */
void screen_clear(void);
void screen_show(void);
/* Text in a field of width columns, cut or filled up with blanks; nothing beyond the screen. A
 * width below 0 puts the text at the right end of the field. */
void screen_put(int row, int column, int width, enum screen_look look, const char *text);
__attribute__((format(printf, 5, 6))) void
screen_format(int row, int column, int width, enum screen_look look, const char *fmt, ...);

#endif
