// users.js - the people there are: a list, a form for a new one, a form to change or delete one.
//
// What stands behind the # in the address is what is shown: #list, #create, or #edit/12.

import { Trouble, ask } from "/api.js";
import {
	$, askFirst, attempt, clone, dateOf, fill, forgetTrouble, held, loadAgain, loadsAnew, say, showFields, showTrouble,
} from "/page.js";
import { giveBack, mayNow, nowIs, pageFor } from "/who.js";

// --- tabs (WAI-ARIA Authoring Practices, "Tabs") ---------------------------------------------------

// Whoever may change nothing has the list alone.
const TABS = ["list", "create", "edit"];
const tabs = () => mayNow("admin") ? TABS : ["list"];

function wanted() {
	const [tab, id] = location.hash.slice(1).split("/");
	return tabs().includes(tab) ? { tab, id: Number(id) || 0 } : { tab: "list", id: 0 };
}

function showTab() {
	const { tab, id } = wanted();
	for (const name of TABS) {
		const button = $(`tab-${name}`);
		button.setAttribute("aria-selected", String(name === tab));
		button.tabIndex = name === tab ? 0 : -1;
		$(name).hidden = name !== tab;
	}
	forgetTrouble();
	if (tab === "list") loadList();
	if (tab === "edit" && id && id !== edited?.id) loadUser(id);
}

// At once, and not when the browser gets round to telling of it: the next key is for what is shown then.
function go(hash) {
	if (location.hash !== `#${hash}`) history.pushState(null, "", `#${hash}`);
	showTab();
}

function turnTab(event) {
	const open = tabs();
	const at = open.findIndex((name) => $(`tab-${name}`) === event.target);
	const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
	const to = event.key === "Home" ? 0 : event.key === "End" ? open.length - 1
		: step ? (at + step + open.length) % open.length : -1;
	if (to < 0) return;
	event.preventDefault();
	openTab(open[to]);
	$(`tab-${open[to]}`).focus();
}

const openTab = (name) => go(name === "edit" && edited ? `edit/${edited.id}` : name);

// --- the list -------------------------------------------------------------------------------------

let after = null; // the cursor of the page that is shown
let latest = 0;   // the newest load; an answer that comes after a newer question is dropped

// Cache-Status (RFC 9211) says where an answer came from; a page that is not kept has none.
function sourceOf({ headers, ms }) {
	const status = headers.get("Cache-Status") ?? "";
	return `From the ${/;\s*hit/.test(status) ? "cache" : "database"}, in ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function rowOf(user) {
	const row = clone("row");
	for (const field of ["name", "email", "username", "role"])
		row.querySelector(`.${field}`).textContent = user[field];
	const button = row.querySelector("button");
	button.setAttribute("aria-label", `Edit ${user.name}`);
	button.addEventListener("click", () => go(`edit/${user.id}`));
	return row;
}

async function loadList() {
	const mine = ++latest;
	loadsAnew();
	$("users").setAttribute("aria-busy", "true");
	try {
		const answer = await ask("GET", after ? `/users?${new URLSearchParams({ after })}` : "/users");
		if (mine !== latest) return;
		forgetTrouble();
		$("rows").replaceChildren(...answer.json.items.map(rowOf));
		$("source").textContent = sourceOf(answer);
		$("empty").hidden = answer.json.items.length > 0;
		$("first").hidden = !after;
		$("next").hidden = !answer.json.next;
		$("next").value = answer.json.next ?? "";
	} catch (trouble) {
		if (mine === latest) loadAgain(loadList, trouble);
	} finally {
		if (mine === latest) $("users").setAttribute("aria-busy", "false");
	}
}

function turnPage(cursor) {
	after = cursor;
	loadList();
	$("tab-list").focus();
}

// --- a new user -----------------------------------------------------------------------------------

const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// The same click must not create twice, whatever the network does: the key stays until it has worked.
let key = newKey();

async function create() {
	const form = $("new");
	const button = form.querySelector("button");
	if (held(button)) return;
	const user = { name: $("new-name").value, email: $("new-email").value, role: $("new-role").value };
	if ($("new-username").value) user.username = $("new-username").value;
	await attempt(button, async () => {
		const { json: made } = await ask("POST", "/users", user, { "Idempotency-Key": `"${key}"` });
		key = newKey();
		form.reset();
		showFields(form, {});
		after = null;
		say(`Created ${made.name}; an invitation goes to ${made.email}`);
		go("list");
		$("tab-list").focus();
	}, (trouble) => {
		// A refusal that names fields is about what was sent, so what is sent next is another request.
		if (trouble.status !== 0 && trouble.status < 500) key = newKey();
		if (!showFields(form, trouble.fields)) showTrouble(trouble, create);
	});
}

// --- one user -------------------------------------------------------------------------------------

let edited = null; // who stands in the form, which has the etag of when they were loaded

async function loadUser(id) {
	loadsAnew();
	try {
		const { json: user, headers } = await ask("GET", `/users/${id}`);
		if (wanted().id !== id) return;
		forgetTrouble();
		showUser(user, headers.get("ETag"));
		giveBack($("change"));
		$("who").focus();
	} catch (trouble) {
		if (wanted().id !== id) return;
		edited = null;
		$("change").hidden = true;
		$("nobody").hidden = false;
		if (trouble.status === 404) $("nobody").textContent = "That user is gone. Choose another in the list.";
		else loadAgain(() => loadUser(id), trouble);
	}
}

function showUser(user, etag) {
	edited = user;
	$("change").dataset.etag = etag;
	$("nobody").hidden = true;
	$("conflict").hidden = true;
	$("change").hidden = false;
	$("who").textContent = user.name;
	for (const field of ["name", "email", "username", "role"]) fill($(field), user[field]);
	$("about").textContent = `Since ${dateOf(user.created_at)}; changed ${user.version - 1} times`;
	showFields($("change"), {});
}

async function save(etag = $("change").dataset.etag) {
	const form = $("change");
	const button = form.querySelector("[type=submit]");
	if (held(button)) return;
	const user = Object.fromEntries(["name", "email", "username", "role"].map((field) => [field, $(field).value]));
	await attempt(button, async () => {
		const { json: saved, headers } = await ask("PUT", `/users/${edited.id}`, user, { "If-Match": etag });
		showUser(saved, headers.get("ETag"));
		nowIs(saved);
		showTab();
		say(`Saved ${saved.name}`);
	}, (trouble) => {
		if (trouble.status === 412) return showConflict();
		if (trouble.status === 404) return leave("That user is gone.");
		if (!showFields(form, trouble.fields)) showTrouble(trouble, () => save(etag));
	});
}

function showConflict() {
	$("conflict").hidden = false;
	$("theirs").focus();
}

// What stands in the form goes over what somebody else has saved, now that the person knows of it.
async function saveMine() {
	try {
		const { headers } = await ask("GET", `/users/${edited.id}`);
		$("change").dataset.etag = headers.get("ETag");
		$("conflict").hidden = true;
		await save();
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		showTrouble(trouble, saveMine);
	}
}

// For somebody who has lost the app and the recovery codes.
async function endFactor() {
	const { id, name } = edited;
	await attempt($("factor"), async () => {
		await ask("DELETE", `/users/${id}/totp`);
		say(`${name} signs in by password alone`);
	}, (trouble) => {
		if (trouble.status === 404) return say(`${name} has no second factor`);
		showTrouble(trouble, endFactor);
	});
}

async function remove() {
	const { id, name } = edited;
	const etag = $("change").dataset.etag;
	await attempt($("delete"), async () => {
		await ask("DELETE", `/users/${id}`, undefined, { "If-Match": etag });
		leave(`Deleted ${name}`);
	}, (trouble) => {
		if (trouble.status === 412) return showConflict();
		if (trouble.status === 404) return leave("That user is gone.");
		showTrouble(trouble, remove);
	});
}

function leave(words) {
	edited = null;
	$("change").hidden = true;
	$("nobody").hidden = false;
	$("nobody").textContent = "Choose somebody in the list first.";
	go("list");
	$("tab-list").focus();
	say(words);
}

// --- the beginning ----------------------------------------------------------------------------------

for (const name of TABS) {
	$(`tab-${name}`).addEventListener("click", () => openTab(name));
	$(`tab-${name}`).addEventListener("keydown", turnTab);
}
$("refresh").addEventListener("click", loadList);
$("first").addEventListener("click", () => turnPage(null));
$("next").addEventListener("click", (event) => turnPage(event.currentTarget.value));
$("new").addEventListener("submit", (event) => { event.preventDefault(); create(); });
$("change").addEventListener("submit", (event) => { event.preventDefault(); save(); });
$("delete").addEventListener("click", () => askFirst(`Delete ${edited.name} and all their tasks?`, remove));
$("factor").addEventListener("click", () => askFirst(`Let ${edited.name} sign in without a second factor? Make sure first that it is they who ask.`, endFactor, "Turn it off"));
$("theirs").addEventListener("click", () => loadUser(edited.id));
$("mine").addEventListener("click", saveMine);
pageFor("manager", () => {
	addEventListener("hashchange", showTab);
	giveBack($("new"));
	showTab();
});
