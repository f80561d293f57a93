/* shop.c - what the simulated shop sells: products of eight categories, dear and cheap. */
#include "features/events/shop.h"

#include <stdio.h>

#include "base/attributes.h"
#include "base/text.h"

/* Prices lie between the cheapest and the dearest of a category, most of them low. */
static const struct category {
	const char *name, *things[5];
	long long cheapest, dearest; /* cents */
} categories[] = {
	{ "electronics", { "headphones", "charger", "keyboard", "camera", "speaker" }, 1990,
	    249900 },
	{ "clothing", { "jacket", "shirt", "jeans", "dress", "socks" }, 990, 39900 },
	{ "shoes", { "running shoes", "sandals", "boots", "sneakers", "slippers" }, 3990, 59900 },
	{ "home", { "lamp", "pillow", "curtain", "mirror", "rug" }, 1990, 89900 },
	{ "kitchen", { "pan", "knife", "kettle", "blender", "bowl" }, 1490, 69900 },
	{ "books", { "novel", "cookbook", "atlas", "biography", "comic" }, 1290, 14900 },
	{ "toys", { "puzzle", "doll", "board game", "kite", "building set" }, 990, 29900 },
	{ "sports", { "ball", "racket", "yoga mat", "bottle", "backpack" }, 1490, 49900 },
};

static const char *const sorts[] = { "red", "blue", "light", "compact", "classic", "soft", "large",
	"travel", "green", "everyday" };

void shop_price(char text[static PRICE_TEXT], long long cents)
{
	snprintf(text, PRICE_TEXT, "%lld.%02lld", cents / 100, cents % 100);
}

/* The square makes most prices low; 90 cents at the end, as shops have it. */
static long long price_of(const struct category *category, size_t number)
{
	long long step = (long long)(number * 37 % 50),
		  range = category->dearest - category->cheapest;

	return (category->cheapest + range * step * step / 2500) / 100 * 100 + 90;
}

struct shop_product *shop_open(struct arena *arena)
{
	struct shop_product *products = arena_alloc(arena, SHOP_PRODUCTS * sizeof(*products));

	for (size_t i = 0; i < SHOP_PRODUCTS; i++) {
		const struct category *category = &categories[i % COUNT(categories)];
		size_t number = i / COUNT(categories); /* in its category */
		struct shop_product *product = &products[i];

		product->category = category->name;
		product->cents = price_of(category, number);
		snprintf(product->id, sizeof(product->id), "p-%04u", (unsigned)i % 10000);
		snprintf(product->name, sizeof(product->name), "%s %s",
		    sorts[number / 5 % COUNT(sorts)],
		    category->things[number % COUNT(category->things)]);
		shop_price(product->price, product->cents);
	}
	return products;
}
