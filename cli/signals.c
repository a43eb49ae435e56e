/* Signals of a run. */
#include "cli/signals.h"

#include <signal.h>
#include <unistd.h>

/* What a handler may know. */
static struct sources *volatile stopped;
static volatile sig_atomic_t came, reload_asked;
static bool hangups; /* are caught; else they stay as they were, under nohup ignored */

/* Once read: it may run on a thread of its own while the run ends. */
static void stop(void)
{
    struct sources *s = stopped;
    if (s)
        sources_stop(s);
}

static void on_signal(int number)
{
    came = number;
    stop();
}

static void on_hangup(int number)
{
    (void)number;
    reload_asked = 1;
}

static void on_alarm(int number)
{
    (void)number;
    stop();
}

void signals_catch(struct sources *s, unsigned seconds, bool reload)
{
    const struct sigaction ring = {.sa_handler = on_alarm};
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction hangup = {.sa_handler = on_hangup, .sa_flags = SA_RESTART};
    stopped = s;
    came = reload_asked = 0;
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    hangups = reload;
    if (reload)
        sigaction(SIGHUP, &hangup, NULL);
    if (!seconds)
        return;
    sigaction(SIGALRM, &ring, NULL);
    alarm(seconds);
}

void signals_release(void)
{
    alarm(0);
    signal(SIGALRM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (hangups)
        signal(SIGHUP, SIG_DFL);
    stopped = NULL;
}

int signals_came(void)
{
    return came;
}

bool signals_reload(void)
{
    bool asked = reload_asked;
    if (asked)
        reload_asked = 0;
    return asked;
}
