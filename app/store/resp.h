/*
 * resp.h - commands as Redis reads them (RESP, the Redis serialization protocol).
 *
 * hiredis can write them too, by way of a format string for each word: that took
 * a tenth of the instructions of a hit.  Replies are read by hiredis.
 */
#ifndef STORE_RESP_H
#define STORE_RESP_H

#include "base/buffer.h"
#include "store/redis.h"

/* Adds the command: an array of bulk strings, each with its length. */
void resp_add(struct buffer *, const struct redis_command *);

#endif
