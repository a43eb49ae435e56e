/*
 * Giving up privileges, once, between opening the interfaces and parsing the first packet.
 */
#ifndef EW_CAPTURE_PRIVS_H
#define EW_CAPTURE_PRIVS_H

enum { PRIVS_TEXT = 200 };

/* As root: becomes `user` (NULL: "edgewatch" if there is such a user, else "nobody") with that
 * user's group and no other. Always: drops every capability and forbids regaining any through
 * execve(), then checks that root cannot be had again. Must be called while the process has one
 * thread. 0, or -1 with the reason in why; the process must then not go on. */
int privs_drop(const char *user, char why[PRIVS_TEXT]);

#endif
