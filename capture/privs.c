/* Giving up privileges and making sure of it. */
#include "capture/privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int fail(char why[PRIVS_TEXT], const char *what, const char *reason)
{
    snprintf(why, PRIVS_TEXT, "%s: %s", what, reason);
    return -1;
}

static const struct passwd *find_user(const char *user)
{
    if (user)
        return getpwnam(user);
    const struct passwd *own = getpwnam("edgewatch");
    return own ? own : getpwnam("nobody");
}

static int become(const char *user, char why[PRIVS_TEXT])
{
    const struct passwd *pw = find_user(user);
    const char *name = user ? user : "nobody";
    if (!pw)
        return fail(why, name, "no such user");
    if (pw->pw_uid == 0)
        return fail(why, name, "is root, name an ordinary user");
    gid_t gid = pw->pw_gid;
    uid_t uid = pw->pw_uid;
    if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        return fail(why, name, strerror(errno));
    return 0;
}

static int drop_capabilities(capng_select_t which, char why[PRIVS_TEXT])
{
    capng_clear(which);
    if (capng_apply(which) != 0)
        return fail(why, "capabilities", "cannot be dropped");
    return 0;
}

static int verify(char why[PRIVS_TEXT])
{
    uid_t real, effective, saved;
    if (getresuid(&real, &effective, &saved) != 0 || real == 0 || effective == 0 || saved == 0)
        return fail(why, "privileges", "still root");
    if (setuid(0) == 0 || seteuid(0) == 0)
        return fail(why, "privileges", "root can be regained");
    if (capng_get_caps_process() != 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
        return fail(why, "capabilities", "some are left");
    return 0;
}

int privs_drop(const char *user, char why[PRIVS_TEXT])
{
    /* emptying the bounding set takes a capability that is gone after become(), and that root in a
     * container may lack; no_new_privs below closes the same door */
    if (capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) &&
        drop_capabilities(CAPNG_SELECT_BOUNDS, why) != 0)
        return -1;
    if (geteuid() == 0 && become(user, why) != 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fail(why, "no_new_privs", strerror(errno));
    if (drop_capabilities(CAPNG_SELECT_CAPS, why) != 0)
        return -1;
    return verify(why);
}
