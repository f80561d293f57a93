/* network.h - where a request comes from, as far as one somebody can be told from another. */
#ifndef CORE_JOURNEY_NETWORK_H
#define CORE_JOURNEY_NETWORK_H

#include <stdint.h>

#include "base/arena.h"

#define NETWORK_TEXT 46 /* room for any address as text: INET6_ADDRSTRLEN */

/* A zero kind is nobody's address: a peer on a unix socket, who is one somebody. */
struct network {
	uint64_t id;
	uint32_t kind; /* 0, 4 or 6 */
};

/*
 * Of the address that nginx vouches for (nginx/requests.conf), NULL when it gives none.
 * Of IPv6 the first 64 bits: a subscriber has all the rest to themselves (RFC 6177).
 */
struct network network_of(const char *address);

/* The address itself where it is one, as PostgreSQL's inet takes it; NULL: it is none. */
const char *network_address(const char *address);

/* The network, in the same way: "192.0.2.1", "2001:db8:1:2::/64"; "": nobody's. */
const char *network_text(struct arena *, const char *address);

#endif
