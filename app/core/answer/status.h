/* status.h - the reason phrases of HTTP's status codes (RFC 9110, section 15). */
#ifndef CORE_ANSWER_STATUS_H
#define CORE_ANSWER_STATUS_H

const char *status_reason(int status);

#endif
