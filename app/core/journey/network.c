/* network.c - where a request comes from, as far as one somebody can be told from another. */
#include "core/journey/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

struct network network_of(const char *address)
{
	struct network network = { 0 };
	struct in6_addr six;
	struct in_addr four;

	if (address == NULL)
		return network;
	if (inet_pton(AF_INET, address, &four) == 1) {
		network = (struct network){ .id = four.s_addr, .kind = 4 };
	} else if (inet_pton(AF_INET6, address, &six) == 1 && IN6_IS_ADDR_V4MAPPED(&six)) {
		network = (struct network){ .id = six.s6_addr32[3], .kind = 4 };
	} else if (inet_pton(AF_INET6, address, &six) == 1) {
		network.kind = 6;
		memcpy(&network.id, six.s6_addr, sizeof(network.id));
	}
	return network;
}
