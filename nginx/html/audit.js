// audit.js - the audit, for admins: what was done and what was refused, the newest first.
//
// The filters stand in the address, so that a view can be sent to somebody.

import { Trouble, api } from "/api.js";
import { $, clone, dateOf, forgetTrouble, loadAgain, loadsAnew, showFields } from "/page.js";
import { resolve } from "/schema.js";
import { pageFor } from "/who.js";

const FILTERS = ["kind", "actor", "from", "to"];
const TIMES = ["from", "to"];

let after = null; // the cursor of the page that is shown
let latest = 0;   // the newest load; an answer that comes after a newer question is dropped

// --- words ----------------------------------------------------------------------------------------

// "sign_in_failed" and "jobs.redrive" as a person would say them.
const inWords = (kind) => kind.replaceAll(/[._]/g, " ").replace(/^./, (first) => first.toUpperCase());

function exactly(text) {
	return new Date(text).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

function rowOf(line) {
	const row = clone("row");
	const set = (name, text) => { row.querySelector(`.${name}`).textContent = text ?? ""; };
	const time = row.querySelector("time");
	time.dateTime = line.created_at;
	time.textContent = exactly(line.created_at);
	set("kind", line.times > 1 ? `${inWords(line.kind)}, ${line.times} times` : inWords(line.kind));
	set("actor", line.actor ?? (line.actor_id ? `user ${line.actor_id}` : ""));
	set("subject", line.subject);
	set("address", line.address);
	for (const name of ["actor", "subject", "address"]) if (!row.querySelector(`.${name}`).textContent) row.querySelector(`.${name}`).classList.add("nothing");
	if (line.details) row.querySelector(".subject").append(details(line.details));
	row.title = line.trace_id ? `Trace ${line.trace_id}` : "";
	return row;
}

function details(of) {
	const text = Object.entries(of).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
	return Object.assign(document.createElement("span"), { className: "quiet", textContent: ` ${text}` });
}

// --- the list -------------------------------------------------------------------------------------

function question() {
	const query = new URLSearchParams();
	for (const name of FILTERS) {
		const value = $(name).value.trim();
		if (value) query.set(name, TIMES.includes(name) ? new Date(value).toISOString() : value);
	}
	if (after) query.set("after", after);
	return query;
}

async function load() {
	const mine = ++latest;
	loadsAnew();
	$("lines").setAttribute("aria-busy", "true");
	try {
		const page = await api("GET", `/api/audit?${question()}`);
		if (mine !== latest) return;
		forgetTrouble();
		showFields($("filters"), {});
		$("rows").replaceChildren(...page.items.map(rowOf));
		$("empty").hidden = page.items.length > 0;
		$("first").hidden = !after;
		$("next").hidden = !page.next;
		$("next").value = page.next ?? "";
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		if (mine === latest && !showFields($("filters"), trouble.fields)) loadAgain(load, trouble);
	} finally {
		if (mine === latest) $("lines").setAttribute("aria-busy", "false");
	}
}

function turnPage(cursor) {
	after = cursor;
	load();
	$("lines").focus();
}

// --- the filters ----------------------------------------------------------------------------------

function filter() {
	after = null;
	const query = new URLSearchParams();
	for (const name of FILTERS) if ($(name).value) query.set(name, $(name).value);
	history.replaceState(null, "", `?${query}`);
	load();
}

// Which kinds there are says the API's own description.
async function offerKinds() {
	const document = await api("GET", "/openapi.json");
	const parameter = document.paths["/api/audit"].get.parameters.map((part) => resolve(document, part)).find(({ name }) => name === "kind");
	for (const kind of resolve(document, parameter?.schema).enum ?? []) $("kind").add(new Option(inWords(kind), kind));
}

function fillFilters() {
	const query = new URLSearchParams(location.search);
	for (const name of FILTERS) $(name).value = query.get(name) ?? "";
}

async function begin() {
	try {
		await offerKinds();
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		return loadAgain(begin, trouble);
	}
	fillFilters();
	load();
}

let typing;
$("filters").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(typing); filter(); });
for (const name of ["kind", ...TIMES]) $(name).addEventListener("change", filter);
$("actor").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(filter, 250); });
$("first").addEventListener("click", () => turnPage(null));
$("next").addEventListener("click", (event) => turnPage(event.currentTarget.value));
pageFor("admin", begin);
