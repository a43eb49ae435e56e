/* The terminal, through ncurses. */
#define NCURSES_WIDECHAR 1
#include "cli/screen.h"

#include <langinfo.h>
#include <ncurses.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

enum { MS_ESCAPE = 50, TEXT = 1024 };

/* ncurses itself has one of each. */
static SCREEN *terminal;
static bool utf8, colours;

static void looks_begin(void)
{
    const char *no = getenv("NO_COLOR");
    colours = (!no || !*no) && has_colors() && start_color() == OK;
    if (!colours)
        return;
    use_default_colors();
    init_pair(1, COLOR_RED, -1);
    init_pair(2, COLOR_GREEN, -1);
}

bool screen_begin(char *why, size_t room)
{
    const char *term = getenv("TERM");
    terminal = newterm(NULL, stdout, stdin);
    if (!terminal) {
        snprintf(why, room, "the terminal \"%s\" is not known ($TERM)", term ? term : "");
        return false;
    }
    set_term(terminal);
    utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    set_escdelay(MS_ESCAPE);
    curs_set(0);
    looks_begin();
    return true;
}

void screen_end(void)
{
    if (!terminal)
        return;
    endwin();
    delscreen(terminal);
    terminal = NULL;
}

void screen_size(int *rows, int *columns)
{
    getmaxyx(stdscr, *rows, *columns);
}

int screen_key(int ms)
{
    static const struct {
        int curses, key;
    } keys[] = {
        {ERR, SCREEN_NONE},           {KEY_UP, SCREEN_UP},           {KEY_DOWN, SCREEN_DOWN},
        {KEY_PPAGE, SCREEN_PAGE_UP},  {KEY_NPAGE, SCREEN_PAGE_DOWN}, {KEY_HOME, SCREEN_HOME},
        {KEY_END, SCREEN_END},        {KEY_ENTER, SCREEN_ENTER},     {'\r', SCREEN_ENTER},
        {'\n', SCREEN_ENTER},         {27, SCREEN_ESCAPE},           {'\t', SCREEN_TAB},
        {KEY_RESIZE, SCREEN_RESIZED},
    };
    timeout(ms);
    int got = getch();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].curses == got)
            return keys[i].key;
    return got > 0 && got < 256 ? got : SCREEN_NONE;
}

void screen_clear(void)
{
    erase();
}

void screen_show(void)
{
    refresh();
}

static attr_t attributes(enum screen_look look)
{
    switch (look) {
    case SCREEN_STRONG:
        return A_BOLD;
    case SCREEN_QUIET:
        return A_DIM;
    case SCREEN_BAD:
        return A_BOLD | (colours ? (attr_t)COLOR_PAIR(1) : 0);
    case SCREEN_GOOD:
        return colours ? (attr_t)COLOR_PAIR(2) : 0;
    case SCREEN_BAR:
        return A_REVERSE;
    case SCREEN_SELECTED:
        return A_REVERSE | A_BOLD;
    case SCREEN_PLAIN:
        break;
    }
    return A_NORMAL;
}

/* One character at text: its bytes, and the columns that it takes. What cannot be shown counts as
 * one and is bad. */
static size_t next(const char *text, int *columns, bool *bad)
{
    wchar_t c = 0;
    mbstate_t state = {0};
    size_t n = mbrtowc(&c, text, strlen(text), &state);
    *columns = 1;
    *bad = true;
    if (n == 0 || n > 4)
        return 1;
    if (n == 1 && (unsigned char)*text < 0x80) {
        *bad = *text < ' ' || *text == 0x7f;
        return 1;
    }
    int wide = wcwidth(c);
    *bad = !utf8 || wide < 0;
    if (!*bad)
        *columns = wide;
    return n;
}

/* Text without what cannot be shown, cut to width columns; *used: how many it takes. */
static void fit(const char *text, int width, char out[TEXT], int *used)
{
    size_t at = 0;
    *used = 0;
    while (*text && at + 5 < TEXT) {
        int columns;
        bool bad;
        size_t n = next(text, &columns, &bad);
        if (*used + columns > width)
            break;
        bool inside = bad && at && ((unsigned char)*text & 0xc0) == 0x80;
        if (inside)
            columns = 0; /* without UTF-8 a whole sequence becomes one '?' */
        else if (bad)
            out[at++] = '?';
        else
            memcpy(out + at, text, n), at += n;
        *used += columns;
        text += n;
    }
    out[at] = 0;
}

void screen_put(int row, int column, int width, enum screen_look look, const char *text)
{
    int rows, columns, used;
    char out[TEXT];
    bool right = width < 0;
    screen_size(&rows, &columns);
    width = right ? -width : width;
    if (column + width > columns)
        width = columns - column;
    if (row < 0 || row >= rows || width <= 0)
        return;
    fit(text, width, out, &used);
    attrset((int)attributes(look));
    mvhline(row, column, ' ' | attributes(look), width);
    mvaddstr(row, right ? column + width - used : column, out);
    attrset((int)A_NORMAL);
}

void screen_format(int row, int column, int width, enum screen_look look, const char *fmt, ...)
{
    char text[TEXT];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    screen_put(row, column, width, look, text);
}
