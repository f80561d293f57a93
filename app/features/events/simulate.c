/*
 * simulate.c - visitors of a shop, made up: what they do follows from a seed alone.
 *
 * A visitor comes, looks at products or searches for them, puts some into the cart,
 * takes some out again, and buys them, or goes away at any point before.  Some 300 are
 * there at once; whose turn it is is left to chance.  So events of many sessions lie between
 * those of one, as in a real shop, and each session by itself makes sense.
 *
 * Chance is nrand48(3), which every C library computes alike.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/uuid.h"
#include "features/events/events.h"
#include "features/events/shop.h"

#define VISITORS  300   /* who are there at once */
#define CUSTOMERS 20000 /* who come again and again */
#define CART_MOST 6

struct cart_item {
	const struct shop_product *product;
	long long quantity;
};

struct visitor {
	bool here, buys; /* .buys: what is in the cart, one event after the other */
	unsigned customer;
	unsigned long long session;
	const struct shop_product *seen; /* last; NULL: none yet */
	struct cart_item cart[CART_MOST];
	size_t items;
	const char *payment;
};

struct simulation {
	unsigned short chance[3];
	unsigned long long seed, number, sessions, orders, revenue_cents;
	unsigned long long events[5];
	const struct shop_product *products;
	struct visitor visitor[VISITORS];
};

enum type { PAGE_VIEW, SEARCH, ADD_TO_CART, REMOVE_FROM_CART, PURCHASE };
static const char *const type_names[] = { "page_view", "search", "add_to_cart", "remove_from_cart",
	"purchase" };

/* --- chance --- */

static unsigned below(struct simulation *s, unsigned limit)
{
	return (unsigned)nrand48(s->chance) % limit;
}

static bool happens(struct simulation *s, unsigned percent)
{
	return below(s, 100) < percent;
}

/* Few are popular: half of all choices are of the first eighth. */
static unsigned popular(struct simulation *s, unsigned limit)
{
	double x = (double)nrand48(s->chance) / 2147483648.0;

	return (unsigned)(x * x * x * limit);
}

static const char *choose_payment(struct simulation *s)
{
	unsigned x = below(s, 100);

	return x < 45   ? "credit_card"
	       : x < 70 ? "pix"
	       : x < 82 ? "debit_card"
	       : x < 90 ? "boleto"
	       : x < 97 ? "paypal"
			: "gift_card";
}

/* --- what a visitor does next --- */

static void come(struct simulation *s, struct visitor *visitor)
{
	*visitor = (struct visitor){
		.here = true, .customer = popular(s, CUSTOMERS), .session = s->sessions++
	};
}

/* Of the same category mostly, once one is known. */
static const struct shop_product *look_for_product(
    struct simulation *s, const struct visitor *visitor)
{
	const struct shop_product *product = &s->products[popular(s, SHOP_PRODUCTS)];

	for (int i = 0; i < 20 && visitor->seen != NULL && happens(s, 80); i++) {
		if (product->category == visitor->seen->category)
			break;
		product = &s->products[popular(s, SHOP_PRODUCTS)];
	}
	return product;
}

/* Out of every hundred visitors some sixty see a product, fifteen fill a cart, and five buy. */
static enum type decide(struct simulation *s, const struct visitor *visitor)
{
	unsigned x = below(s, 100);

	if (visitor->buys)
		return PURCHASE;
	if (visitor->seen == NULL)
		return x < 35 ? SEARCH : PAGE_VIEW;
	if (visitor->items == 0)
		return x < 18 ? SEARCH : x < 30 ? ADD_TO_CART : PAGE_VIEW;
	return x < 20 && visitor->items < CART_MOST ? ADD_TO_CART
	       : x < 29                             ? REMOVE_FROM_CART
	       : x < 52                             ? PURCHASE
						    : PAGE_VIEW;
}

/* Whether the visitor is gone after what was done. */
static bool leaves(struct simulation *s, const struct visitor *visitor, enum type type)
{
	if (visitor->buys)
		return false;
	if (type == PURCHASE)
		return happens(s, 75);
	return happens(s, visitor->items > 0 ? 9 : 17);
}

/* --- the event of it --- */

static void tell_product(
    struct arena *arena, struct event *event, const struct shop_product *product)
{
	struct event_product *copy = arena_alloc(arena, sizeof(*copy));

	*copy = (struct event_product){ product->id, product->name, product->category,
		product->price };
	event->product = copy;
}

static void view(
    struct simulation *s, struct arena *arena, struct visitor *visitor, struct event *event)
{
	/* The first page is the shop's own, of no product. */
	if (visitor->seen == NULL && happens(s, 50))
		return;
	visitor->seen = look_for_product(s, visitor);
	tell_product(arena, event, visitor->seen);
}

static void search(struct simulation *s, struct visitor *visitor, struct event *event)
{
	/* A search is for what is looked at next: the last word or two of its name. */
	visitor->seen = look_for_product(s, visitor);
	event->query = happens(s, 60) ? strchr(visitor->seen->name, ' ') + 1 : visitor->seen->name;
}

static void add(
    struct simulation *s, struct arena *arena, struct visitor *visitor, struct event *event)
{
	struct cart_item *item = &visitor->cart[visitor->items++];

	*item = (struct cart_item){ visitor->seen, happens(s, 85) ? 1 : 2 + below(s, 3) };
	tell_product(arena, event, item->product);
	event->quantity = item->quantity;
}

static void take_out(
    struct simulation *s, struct arena *arena, struct visitor *visitor, struct event *event)
{
	struct cart_item *item = &visitor->cart[below(s, (unsigned)visitor->items)];

	tell_product(arena, event, item->product);
	event->quantity = item->quantity;
	*item = visitor->cart[--visitor->items];
}

static void buy(
    struct simulation *s, struct arena *arena, struct visitor *visitor, struct event *event)
{
	const struct cart_item *item = &visitor->cart[--visitor->items];
	long long cents = item->product->cents * item->quantity;
	char *total = arena_alloc(arena, PRICE_TEXT);

	if (!visitor->buys)
		visitor->payment = choose_payment(s);
	shop_price(total, cents);
	tell_product(arena, event, item->product);
	event->quantity = item->quantity;
	event->total_amount = total;
	event->payment_method = visitor->payment;
	visitor->buys = visitor->items > 0;
	s->orders++;
	s->revenue_cents += (unsigned long long)cents;
}

static void act(
    struct simulation *s, struct arena *arena, struct visitor *visitor, struct event *event)
{
	enum type type = decide(s, visitor);

	event->event_type = type_names[type];
	s->events[type]++;
	if (type == PAGE_VIEW)
		view(s, arena, visitor, event);
	else if (type == SEARCH)
		search(s, visitor, event);
	else if (type == ADD_TO_CART)
		add(s, arena, visitor, event);
	else if (type == REMOVE_FROM_CART)
		take_out(s, arena, visitor, event);
	else
		buy(s, arena, visitor, event);
	if (leaves(s, visitor, type))
		visitor->here = false;
}

/*
 * Version 8 (RFC 9562, 5.8): ours to fill in.  The seed, and then which event of the
 * simulation it is; ids that grow cost an index least.
 */
static const char *make_id(const struct simulation *s, struct arena *arena)
{
	char *id = arena_alloc(arena, UUID_TEXT);
	unsigned long long seed = s->seed * 0x9e3779b97f4a7c15ULL;

	snprintf(id, UUID_TEXT, "%08llx-%04llx-8%03llx-8%03llx-%012llx", seed >> 32,
	    seed >> 16 & 0xffff, seed >> 4 & 0xfff, s->number >> 48 & 0xfff,
	    s->number & 0xffffffffffffULL);
	return id;
}

static void next(void *simulation, struct arena *arena, const char *timestamp, void *into)
{
	struct simulation *s = simulation;
	struct visitor *visitor = &s->visitor[below(s, VISITORS)];
	struct event *event = into;

	if (!visitor->here)
		come(s, visitor);
	*event = (struct event){ .event_id = make_id(s, arena),
		.timestamp = timestamp,
		.user_id = arena_print(arena, "user-%05u", visitor->customer),
		.session_id = arena_print(arena, "s-%llx-%llx", s->seed, visitor->session) };
	s->number++;
	act(s, arena, visitor, event);
}

/* --- begin and end --- */

static void *begin(struct arena *arena, unsigned long long seed)
{
	struct simulation *s = arena_alloc(arena, sizeof(*s));

	s->seed = seed;
	s->chance[0] = (unsigned short)seed;
	s->chance[1] = (unsigned short)(seed >> 16);
	s->chance[2] = (unsigned short)(seed >> 32);
	s->products = shop_open(arena);
	return s;
}

static void tell(const void *simulation, struct buffer *out)
{
	const struct simulation *s = simulation;
	char revenue[PRICE_TEXT];

	shop_price(revenue, (long long)s->revenue_cents);
	for (size_t i = 0; i < COUNT(type_names); i++)
		buffer_print(out, "  %-16s %12llu\n", type_names[i], s->events[i]);
	buffer_print(
	    out, "  %-16s %12llu\n  %-16s %12s\n", "sessions", s->sessions, "revenue", revenue);
}

const struct event_simulation events_simulation = { .begin = begin, .next = next, .tell = tell };
