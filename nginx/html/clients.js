// clients.js - programs that may have tokens, for admins: a list, a form for a new one, and its secret, once.

import { Trouble, api } from "/api.js";
import {
	$, askFirst, attempt, clone, dateOf, forgetTrouble, held, loadAgain, loadsAnew, say, showFields, showTrouble,
} from "/page.js";
import { giveBack, pageFor } from "/who.js";

const MAY = { read: "reads", write: "changes", "read write": "reads and changes" };

// --- the list -------------------------------------------------------------------------------------

function describe({ username, role, scope, refresh, created_at: since }) {
	return [`for ${username}`, `at most as ${role}`, MAY[scope], refresh && "has refresh tokens",
		`since ${dateOf(since).replace("Today", "today")}`].filter(Boolean).join(", ");
}

function element(client) {
	const item = clone("client");
	const [renew, remove] = item.querySelectorAll("button");
	item.querySelector(".name").textContent = client.name;
	item.querySelector(".about").textContent = describe(client);
	item.querySelector(".code").textContent = client.client_id;
	renew.setAttribute("aria-label", `New secret for ${client.name}`);
	remove.setAttribute("aria-label", `Delete ${client.name}`);
	renew.addEventListener("click", () => askFirst(
		`Give ${client.name} another secret? The one that it has is refused from then on.`, () => renewSecret(renew, client), "Give it another"));
	remove.addEventListener("click", () => askFirst(
		`Delete ${client.name}? It gets no more tokens; one that it has counts until it expires.`, () => end(item, client)));
	return item;
}

let next = null; // the cursor of what is not shown yet
let latest = 0;  // the newest load; an answer that comes after a newer question is dropped

async function load(after = null) {
	const mine = ++latest;
	loadsAnew();
	try {
		const page = await api("GET", `/api/clients${after ? `?${new URLSearchParams({ after })}` : ""}`);
		if (mine !== latest) return;
		forgetTrouble();
		const items = page.items.map(element);
		if (after) $("clients").append(...items);
		else $("clients").replaceChildren(...items);
		next = page.next;
		$("more").hidden = !next;
		showEmpty();
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		if (mine === latest) loadAgain(() => load(after), trouble);
	} finally {
		if (mine === latest) $("clients").setAttribute("aria-busy", "false");
	}
}

function showEmpty() {
	$("empty").hidden = $("clients").childElementCount > 0;
}

// --- a secret -------------------------------------------------------------------------------------

function tell(client, words) {
	$("told-heading").textContent = words;
	$("told-client").textContent = client.client_id;
	$("told-secret").textContent = client.secret;
	$("told-how").textContent = `curl -u ${client.client_id}:${client.secret} \\\n  -d grant_type=client_credentials ${location.origin}/oauth/token`;
	$("told").hidden = false;
	$("told-heading").focus();
}

function forget() {
	for (const id of ["told-client", "told-secret", "told-how"]) $(id).textContent = "";
	$("told").hidden = true;
	$("list-heading").focus();
}

async function copySecret() {
	try {
		await navigator.clipboard.writeText($("told-secret").textContent);
		say("Copied");
	} catch {
		say("Copying is not allowed here: mark it and copy it yourself");
	}
}

async function renewSecret(button, client) {
	if (held(button)) return;
	await attempt(button, async () => {
		tell(await api("POST", `/api/clients/${client.id}/secret`), `Another secret for ${client.name}`);
	}, (trouble) => {
		if (trouble.status === 404) return goneAlready();
		showTrouble(trouble, () => renewSecret(button, client));
	});
}

// --- a new client ---------------------------------------------------------------------------------

// Who is called so; asked for page by page, since it is seldom and there may be many.
async function userCalled(name) {
	for (let after = null; ;) {
		const page = await api("GET", `/users?${new URLSearchParams({ limit: 200, ...after && { after } })}`);
		const user = page.items.find(({ username }) => username === name);
		if (user || !page.next) return user;
		after = page.next;
	}
}

async function create() {
	const form = $("new");
	const button = form.querySelector("[type=submit]");
	if (held(button)) return;
	const client = { name: $("name").value, role: $("role").value, scope: $("scope").value, refresh: $("refresh").checked };
	const name = $("user").value.trim();
	await attempt(button, async () => {
		const user = name && await userCalled(name);
		if (name && !user) return showFields(form, { user_id: "Nobody is called so." });
		if (user) client.user_id = user.id;
		const made = await api("POST", "/api/clients", client);
		form.reset();
		showFields(form, {});
		tell(made, `${made.name} is there`);
		await load();
	}, (trouble) => {
		if (showFields(form, trouble.fields)) return;
		showTrouble(trouble, create);
		// It may be there, and nobody knows its secret: it is seen in the list, and can be deleted.
		if (trouble.status === 0 || trouble.status >= 500) load();
	});
}

// --- the end --------------------------------------------------------------------------------------

function vanish(item, words) {
	const neighbour = item.nextElementSibling ?? item.previousElementSibling;
	item.remove();
	showEmpty();
	(neighbour?.querySelector(".remove") ?? $("list-heading")).focus();
	say(words);
}

function goneAlready() {
	say("That client is gone already");
	load();
}

async function end(item, client) {
	const button = item.querySelector(".remove");
	if (held(button)) return;
	await attempt(button, async () => {
		await api("DELETE", `/api/clients/${client.id}`);
		if ($("told-client").textContent === client.client_id) forget();
		vanish(item, `Deleted ${client.name}`);
	}, (trouble) => {
		if (trouble.status === 404) return vanish(item, "That client is gone already");
		showTrouble(trouble, () => end(item, client));
	});
}

// --- the beginning --------------------------------------------------------------------------------

// Names to choose from; whoever is not among the newest can be typed in.
async function offerPeople() {
	try {
		const { items } = await api("GET", "/users?limit=200");
		$("people").replaceChildren(...items.map(({ username, name }) => new Option(name, username)));
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
	}
}

$("new").addEventListener("submit", (event) => { event.preventDefault(); create(); });
$("user").addEventListener("focus", offerPeople, { once: true });
$("told-kept").addEventListener("click", forget);
$("told-copy").addEventListener("click", copySecret);
$("more").addEventListener("click", () => load(next));
pageFor("admin", () => {
	giveBack($("new"));
	load();
});
