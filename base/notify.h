/* notify.h - telling the supervisor how a worker is: the sd_notify protocol. */
#ifndef BASE_NOTIFY_H
#define BASE_NOTIFY_H

/*
 * Sends STATE, such as "READY=1" or "STOPPING=1", to the socket that
 * NOTIFY_SOCKET names (sd_notify(3)).  Without one nothing happens.
 */
void notify_supervisor(const char *state);

#endif
