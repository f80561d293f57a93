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

const char *network_address(const char *address)
{
	return network_of(address).kind != 0 ? address : NULL;
}

const char *network_text(struct arena *arena, const char *address)
{
	struct network network = network_of(address);
	struct in6_addr six = { .s6_addr = { 0 } };
	char text[NETWORK_TEXT];

	if (network.kind == 0)
		return "";
	if (network.kind == 4) {
		struct in_addr four = { .s_addr = (in_addr_t)network.id };

		inet_ntop(AF_INET, &four, text, sizeof(text));
		return arena_copy(arena, text, strlen(text));
	}
	memcpy(six.s6_addr, &network.id, sizeof(network.id));
	inet_ntop(AF_INET6, &six, text, sizeof(text));
	return arena_print(arena, "%s/64", text);
}
