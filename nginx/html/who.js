// who.js - who is signed in: their name and the way out at the head of every page, the places that
// their role may see, and the way to sign in and back again.
//
// A page that imports it has the elements #person and #places.  The role stands at the body, as
// data-role, and style.css hides what is marked for a higher one.

import { Trouble, api, whenSignedOut } from "/api.js";
import { forgetDraft, keepDraft, remember, remembered, restoreDraft, whenAnotherTabKnows } from "/memory.js";
import { $, attempt, forgetTrouble, held, loadAgain, say, showTrouble } from "/page.js";
import { signInAddress } from "/way.js";

const ROLES = ["viewer", "user", "manager", "admin"]; // each may what those before it may

const PLACES = [
	{ path: "/", name: "Tasks", role: "viewer" },
	{ path: "/users.html", name: "Users", role: "manager" },
	{ path: "/vendas.html", name: "Sales", role: "viewer" },
	{ path: "/dashboard", name: "Dashboard" },
	{ path: "/jobs.html", name: "Jobs", role: "manager" },
	{ path: "/audit", name: "Audit", role: "admin" },
	{ path: "/clients", name: "Clients", role: "admin" },
	{ path: "/docs", name: "API" },
];

const may = (role, least) => !least || ROLES.indexOf(role) >= ROLES.indexOf(least);

// Whether whoever is known here has at least the role LEAST.
export const mayNow = (least) => may(known?.role, least);

// --- the head of the page -------------------------------------------------------------------------

function link(path, text) {
	const element = Object.assign(document.createElement("a"), { href: path, textContent: text });
	if (path === location.pathname) element.setAttribute("aria-current", "page");
	return element;
}

function wayOut() {
	const form = Object.assign(document.createElement("form"), { method: "post", action: "/logout" });
	form.append(Object.assign(document.createElement("button"), { type: "submit", textContent: "Sign out" }));
	form.addEventListener("submit", (event) => { event.preventDefault(); signOut(); });
	return form;
}

let shown = null; // what the head says now, so that nothing moves under a focus without need

export function showPerson(person) {
	const says = JSON.stringify([person?.name, person?.role]);
	if (says === shown) return;
	shown = says;
	document.body.dataset.role = person?.role ?? "";
	$("places").replaceChildren(...PLACES.filter(({ role }) => person ? may(person.role, role) : !role)
		.map(({ path, name }) => link(path, name)));
	if (person) {
		const name = link("/account", person.name);
		name.title = `Your account (${person.role})`;
		$("person").replaceChildren(name, wayOut());
	} else {
		$("person").replaceChildren(link("/signin", "Sign in"));
	}
}

async function signOut() {
	const button = $("person").querySelector("button");
	if (held(button)) return;
	await attempt(button, async () => {
		await api("POST", "/api/logout");
		forgetDraft();
		remember(null);
		location.assign("/signin");
	}, (trouble) => showTrouble(trouble, signOut));
}

// --- asking ---------------------------------------------------------------------------------------

let asking = null;

// Whoever is signed in, as /api/me says; asked once.  If nobody is, the page is left for the one to sign in.
export function whoIsIt() {
	asking ??= api("GET", "/api/me").then((me) => {
		isNow(me);
		return me;
	}).catch((trouble) => {
		asking = null;
		throw trouble;
	});
	return asking;
}

// The same for the head alone, which can wait: the page itself says what is wrong.
export async function showWho() {
	try {
		await whoIsIt();
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		if (trouble.passes) setTimeout(showWho, 1000 * Math.max(trouble.retryAfter, 5));
	}
}

// What is known from now on: the page calls it for another name.
export function isNow(me) {
	known = me;
	asking = me && Promise.resolve(me);
	remember(me);
	showPerson(me);
}

// Somebody was changed, who may be the one that looks.
export function nowIs(user) {
	if (user.id === known?.id) isNow(user);
}

// Calls BEGIN with whoever looks, if they have at least the role LEAST; says so if they have not.
export async function pageFor(least, begin) {
	try {
		const me = await whoIsIt();
		if (may(me.role, least)) {
			forgetTrouble();
			begin(me);
			return;
		}
		const refusal = document.createElement("p");
		refusal.className = "empty";
		refusal.textContent = `This page is for the role ${least}; yours is ${me.role}. An admin can change that.`;
		document.querySelector("main").replaceChildren(refusal);
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		loadAgain(() => pageFor(least, begin), trouble);
	}
}

// A page that nobody has to sign in for: it stays when a session ends.
export async function pageForAnyone() {
	whenSignedOut(null);
	forAnyone = true;
	if (!known) return;
	try {
		await whoIsIt();
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		if (trouble.status === 401) isNow(null);
	}
}

// What had been typed into FORM before its session ended; returns whether there was anything.
export function giveBack(form) {
	if (!restoreDraft(form, known?.id)) return false;
	say("What you wrote is still here");
	return true;
}

// --- leaving --------------------------------------------------------------------------------------

let known = remembered(); // who this page is for
let leaving = false;
let forAnyone = false;

// The session has ended, or there was none.  What was typed is kept, and signing in leads back here.
function leave() {
	if (leaving) return;
	leaving = true;
	if (known) keepDraft(known.id);
	remember(null);
	location.replace(signInAddress(known !== null));
}

// Another tab has signed out, or somebody else in; a page may also come back out of the browser's own
// memory after that.
function compare(person) {
	if (leaving || (person && known && person.id !== known.id)) location.reload();
	else if (!person && known && !forAnyone) leave();
	else if (!person) showPerson(null);
	else if (person) showPerson(person);
}

whenSignedOut(leave);
whenAnotherTabKnows(compare);
addEventListener("pageshow", (event) => { if (event.persisted) compare(remembered()); });

// --- the beginning --------------------------------------------------------------------------------

if (known) showPerson(known);
