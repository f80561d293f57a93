// sessions.js - where one is signed in, on the page of one's account; each can be ended, and all at once.

import { api } from "/api.js";
import { $, askFirst, attempt, clone, dateOf, forgetTrouble, held, loadAgain, say, showTrouble } from "/page.js";

// --- words ----------------------------------------------------------------------------------------

// The first that is in a User-Agent names it: those that pass for another stand before that one.
const BROWSERS = [["Edg", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrom", "Chrome"], ["Safari/", "Safari"], ["curl/", "curl"]];
const SYSTEMS = [["Windows", "Windows"], ["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Mac OS X", "macOS"], ["CrOS", "ChromeOS"], ["Linux", "Linux"]];

const nameOf = (names, agent) => names.find(([mark]) => agent.includes(mark))?.[1];

export function agentInWords(agent) {
	const [browser, system] = [nameOf(BROWSERS, agent ?? ""), nameOf(SYSTEMS, agent ?? "")];
	if (browser) return system ? `${browser} on ${system}` : browser;
	return agent || "An unknown program";
}

const when = (time) => dateOf(time).replace("Today", "today");

function describe({ address, created_at: since, seen_at: seen }) {
	return [address, `signed in ${when(since)}`, `last seen ${when(seen)}`].filter(Boolean).join(", ");
}

// --- the list -------------------------------------------------------------------------------------

function element(session) {
	const item = clone("session");
	const name = agentInWords(session.agent);
	const [agent, button] = [item.querySelector(".agent"), item.querySelector("button")];
	agent.textContent = name;
	agent.title = session.agent ?? "";
	item.querySelector(".about").textContent = describe(session);
	if (session.current) {
		agent.append(" ", Object.assign(document.createElement("span"), { className: "mark", textContent: "here" }));
		button.remove();
		return item;
	}
	button.setAttribute("aria-label", `Sign out ${name}, ${describe(session)}`);
	button.addEventListener("click", () => end(item, session, name));
	return item;
}

let next = null; // the cursor of what is not shown yet

export async function loadSessions(after = null) {
	try {
		const page = await api("GET", `/api/me/sessions${after ? `?${new URLSearchParams({ after })}` : ""}`);
		forgetTrouble();
		const items = page.items.map(element);
		if (after) $("sessions").append(...items);
		else $("sessions").replaceChildren(...items);
		next = page.next;
		$("more").hidden = !next;
		$("sessions").setAttribute("aria-busy", "false");
	} catch (trouble) {
		loadAgain(() => loadSessions(after), trouble);
	}
}

// --- ending ---------------------------------------------------------------------------------------

function vanish(item, words) {
	const neighbour = item.nextElementSibling ?? item.previousElementSibling;
	item.remove();
	(neighbour?.querySelector("button") ?? $("sessions-heading")).focus();
	say(words);
}

async function end(item, session, name) {
	const button = item.querySelector("button");
	if (held(button)) return;
	await attempt(button, async () => {
		await api("DELETE", `/api/me/sessions/${encodeURIComponent(session.id)}`);
		vanish(item, `Signed out ${name}`);
	}, (trouble) => {
		if (trouble.status === 404) return vanish(item, "That session has ended already");
		showTrouble(trouble, () => end(item, session, name));
	});
}

async function endAll() {
	await attempt($("everywhere"), async () => {
		await api("DELETE", "/api/me/sessions");
		location.assign("/signin");
	}, (trouble) => showTrouble(trouble, endAll));
}

$("everywhere").addEventListener("click", () =>
	askFirst("Sign out everywhere, here too? Whoever uses your account has to sign in anew.", endAll));
$("more").addEventListener("click", () => loadSessions(next));
