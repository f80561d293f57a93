// vendas.js - what was sold: a month by region, and a period by month; both stand in the address.

import { Trouble, ask } from "/api.js";
import { chart } from "/charts.js";
import { $, clone, forgetTrouble, loadAgain, loadsAnew, say, showFields, showTrouble } from "/page.js";
import { showWho } from "/who.js";

const money = new Intl.NumberFormat("pt-BR", { style: "currency", currency: "BRL" });
const whole = new Intl.NumberFormat("pt-BR");
const short = new Intl.NumberFormat("pt-BR", { notation: "compact", maximumFractionDigits: 1 });

const regions = chart("regions", "bar", (value) => short.format(value));
const months = chart("months", "line", (value) => short.format(value));

// --- what is wanted -------------------------------------------------------------------------------

const MONTH = /^\d{4}-\d{2}$/;
const standard = { mes: "2026-12", from: "2025-01", to: "2026-12" };

function wanted() {
	const query = new URLSearchParams(location.search);
	return Object.fromEntries(Object.entries(standard).map(([name, month]) => [name, query.get(name) ?? month]));
}

function want(change) {
	const query = new URLSearchParams({ ...wanted(), ...change });
	history.replaceState(null, "", `?${query}`);
}

function neighbour(month, step) {
	const [year, of] = month.split("-").map(Number);
	const at = year * 12 + of - 1 + step;
	return `${String(Math.floor(at / 12)).padStart(4, "0")}-${String(at % 12 + 1).padStart(2, "0")}`;
}

// --- what is shown --------------------------------------------------------------------------------

function line(name, total, orders) {
	const row = clone("line");
	row.querySelector("th").textContent = name;
	row.querySelector(".total").textContent = money.format(total);
	row.querySelector(".orders").textContent = whole.format(orders);
	return row;
}

function showMonth({ json: report, headers, ms }) {
	const strongest = report.regions.reduce((best, region) => region.total > best.total ? region : best);
	$("total").textContent = money.format(report.total);
	$("orders").textContent = whole.format(report.regions.reduce((sum, { orders }) => sum + orders, 0));
	$("strongest").textContent = report.total > 0 ? strongest.region : "none";
	$("region-rows").replaceChildren(...report.regions.map(({ region, total, orders }) => line(region, total, orders)));
	regions.update(report.regions.map(({ region }) => region), report.regions.map(({ total }) => total));
	const source = /;\s*hit/.test(headers.get("Cache-Status") ?? "") ? "cache" : "database";
	$("source").textContent = `From the ${source}, in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function showSeries({ json: series }) {
	$("month-rows").replaceChildren(...series.months.map(({ mes, total, orders }) => line(mes, total, orders)));
	months.update(series.months.map(({ mes }) => mes), series.months.map(({ total }) => total));
}

// Loads a part of the page; an answer that comes after a newer question is dropped.
function part(id, form, query, show) {
	let latest = 0;
	return async function load() {
		const mine = ++latest;
		loadsAnew();
		$(id).setAttribute("aria-busy", "true");
		try {
			const answer = await ask("GET", `/api/vendas?${query()}`);
			if (mine !== latest) return;
			forgetTrouble();
			showFields($(form), {});
			show(answer);
		} catch (trouble) {
			if (mine !== latest) return;
			if (!(trouble instanceof Trouble)) throw trouble;
			if (trouble.passes || !showFields($(form), trouble.fields)) loadAgain(load, trouble);
		} finally {
			if (mine === latest) $(id).setAttribute("aria-busy", "false");
		}
	};
}

const monthQuery = () => new URLSearchParams({ mes: wanted().mes });
const seriesQuery = () => new URLSearchParams({ from: wanted().from, to: wanted().to });
const loadMonth = part("month", "pick-month", monthQuery, showMonth);
const loadSeries = part("series", "pick-series", seriesQuery, showSeries);

// --- CSV ------------------------------------------------------------------------------------------

async function download(query) {
	try {
		const { blob, headers } = await ask("GET", `/api/vendas?${query}`, undefined, { Accept: "text/csv" });
		const [, name] = /filename="([^"]+)"/.exec(headers.get("Content-Disposition") ?? "") ?? [, "vendas.csv"];
		const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
		link.click();
		URL.revokeObjectURL(link.href);
		say(`Saved ${name}`);
	} catch (error) {
		showTrouble(error, () => download(query));
	}
}

// --- the beginning --------------------------------------------------------------------------------

function fill() {
	for (const [name, month] of Object.entries(wanted())) if ($(name).value !== month) $(name).value = month;
}

// A month that is being typed is not asked for before it is one.
function changed(name, load) {
	const month = $(name).value;
	if (!MONTH.test(month) || month === wanted()[name]) return;
	want({ [name]: month });
	load();
}

function turn(step) {
	want({ mes: neighbour(wanted().mes, step) });
	fill();
	loadMonth();
}

$("mes").addEventListener("change", () => changed("mes", loadMonth));
for (const name of ["from", "to"]) $(name).addEventListener("change", () => changed(name, loadSeries));
for (const form of ["pick-month", "pick-series"]) $(form).addEventListener("submit", (event) => event.preventDefault());
$("before").addEventListener("click", () => turn(-1));
$("after").addEventListener("click", () => turn(1));
$("month-csv").addEventListener("click", () => download(monthQuery()));
$("series-csv").addEventListener("click", () => download(seriesQuery()));

fill();
showWho();
loadMonth();
loadSeries();
