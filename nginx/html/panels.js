// panels.js - how each answer of /api/metrics stands on the dashboard: tiles, charts, and the table beside each chart.

import { chart, funnel, ring } from "/charts.js";
import { $ } from "/page.js";

const money = new Intl.NumberFormat("pt-BR", { style: "currency", currency: "BRL" });
const whole = new Intl.NumberFormat("pt-BR");
const short = new Intl.NumberFormat("pt-BR", { notation: "compact", maximumFractionDigits: 1 });
const rate = new Intl.NumberFormat("pt-BR", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const part = new Intl.NumberFormat("pt-BR", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

// The types of events, in the order of the API.
const NAMES = { page_view: "Pages viewed", search: "Searches", add_to_cart: "Put into the cart", remove_from_cart: "Taken out of it", purchase: "Bought" };
const FUNNEL = ["page_view", "add_to_cart", "purchase"];

const count = (number) => whole.format(number);
const brief = (number) => short.format(number);
const of = (some, all) => all > 0 ? part.format(some / all) : "–";

const lines = chart("timeline-chart", "line", brief, { open: true });
const categories = chart("categories-chart", "bar", brief, { lying: true });
const products = chart("products-chart", "bar", brief, { lying: true });
const types = ring("types-chart", count);
const steps = funnel("funnel-chart", count, FUNNEL.map((type) => Object.keys(NAMES).indexOf(type)));

function set(id, text) {
	if ($(id).textContent !== text) $(id).textContent = text;
}

// The rows of the table in the panel ID, each a list of texts; the first is the row's name.
function fill(id, rows) {
	$(id).querySelector("tbody").replaceChildren(...rows.map((texts) => {
		const row = document.createElement("tr");
		row.append(...texts.map((text, place) => {
			const cell = document.createElement(place === 0 ? "th" : "td");
			if (place === 0) cell.scope = "row";
			cell.textContent = text;
			return cell;
		}));
		return row;
	}));
	$(id).dataset.empty = rows.length === 0;
}

// A name as it stands beside a bar; the table has all of it.
const shortened = (name) => name.length > 18 ? `${name.slice(0, 17)}…` : name;

// When a step began, as precisely as the line is long.
function moment(text, line) {
	const wish = line === "7d" ? { weekday: "short", hour: "2-digit", minute: "2-digit" } : { hour: "2-digit", minute: "2-digit" };
	return new Date(text).toLocaleString("en-GB", wish);
}

export const show = {
	realtime({ events_per_second: speed, active_users: people, revenue, p95_ms: p95, lag }) {
		set("rate", rate.format(speed));
		set("active", count(people));
		set("earned", money.format(revenue));
		set("p95", p95 === null ? "–" : p95 < 1000 ? `${p95} ms` : `${rate.format(p95 / 1000)} s`);
		set("lag", lag === null ? "unknown" : count(lag));
	},

	timeline({ items }, { line }) {
		const times = items.map(({ at }) => moment(at, line));
		lines.update(times, items.map(({ events }) => events));
		fill("timeline", items.map(({ events, orders, revenue }, place) => [times[place], count(events), count(orders), money.format(revenue)]).reverse());
	},

	summary(sum) {
		const day = new Date(sum.since).toLocaleDateString("en-GB", { day: "numeric", month: "long", timeZone: "UTC" });
		set("since", `since ${day}, 00:00 UTC`);
		for (const name of ["orders", "users", "sessions", "events"]) set(name, count(sum[name]));
		set("revenue", money.format(sum.revenue));
		set("ticket", sum.average_ticket === null ? "–" : money.format(sum.average_ticket));
		set("conversion", sum.conversion === null ? "–" : part.format(sum.conversion));
	},

	categories({ items }) {
		categories.update(items.map(({ category }) => shortened(category)), items.map(({ revenue }) => revenue));
		fill("categories", items.map(({ category, orders, units, revenue }) => [category, count(orders), count(units), money.format(revenue)]));
	},

	products({ items }) {
		products.update(items.map(({ name }) => shortened(name)), items.map(({ revenue }) => revenue));
		fill("products", items.map(({ name, category, units, revenue }) => [name, category, count(units), money.format(revenue)]));
	},

	types({ items }) {
		const all = items.reduce((sum, { events }) => sum + events, 0);
		const had = Object.fromEntries(items.map(({ event_type: type, events }) => [type, events]));
		types.update(items.map(({ event_type: type }) => NAMES[type]), items.map(({ events }) => events));
		fill("types", all === 0 ? [] : items.map(({ event_type: type, events }) => [NAMES[type], count(events), of(events, all)]));
		steps.update(FUNNEL.map((type) => [NAMES[type], of(had[type], had[FUNNEL[0]])]), FUNNEL.map((type) => had[type]));
		fill("funnel", all === 0 ? [] : FUNNEL.map((type, place) => [NAMES[type], count(had[type]), of(had[type], had[FUNNEL[0]]),
			place === 0 ? "–" : of(had[type], had[FUNNEL[place - 1]])]));
	},
};
