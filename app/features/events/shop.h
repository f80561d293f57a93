/* shop.h - what the simulated shop sells, and what its visitors look for; private to the feature.
 */
#ifndef FEATURES_EVENTS_SHOP_H
#define FEATURES_EVENTS_SHOP_H

#include "base/arena.h"

#define SHOP_PRODUCTS 400
#define PRICE_TEXT    24

struct shop_product {
	char id[8], name[64], price[PRICE_TEXT];
	const char *category;
	long long cents;
};

/* The same products, names and prices always: what changes by chance is who buys them. */
struct shop_product *shop_open(struct arena *);

/* Writes cents as money is written, "12.34". */
void shop_price(char text[static PRICE_TEXT], long long cents);

#endif
