// tasks.js - the list of tasks: what stands in the address is what is shown.
//
// Everything goes through the JSON API.  Text from the server only ever becomes text: elements are
// cloned from the template in the page, and nothing is parsed as HTML.

import { api } from "/api.js";
import {
	$, askFirst, attempt, clone, dateOf, forgetTrouble, held, loadAgain, loadsAnew, say, showFields, showTrouble,
} from "/page.js";
import { giveBack, mayNow, showWho } from "/who.js";

const PAGE = 20;

// --- the list -----------------------------------------------------------------------------------

function wanted() {
	const query = new URLSearchParams(location.search);
	return { q: query.get("q") ?? "", open: query.get("open") === "1", after: query.get("after") ?? "" };
}

function address({ q, open, after }) {
	const query = new URLSearchParams();
	if (q) query.set("q", q);
	if (open) query.set("open", "1");
	if (after) query.set("after", after);
	const text = String(query);
	return text ? `/?${text}` : "/";
}

function element(task) {
	const item = clone("task");
	const [complete, remove] = [item.querySelector(".complete"), item.querySelector(".delete")];
	const title = item.querySelector(".title");
	item.dataset.id = task.id;
	title.textContent = task.title;
	title.id = `title-${task.id}`;
	item.querySelector(".description").textContent = task.description ?? "";
	const time = item.querySelector("time");
	time.dateTime = task.created_at;
	time.textContent = dateOf(task.created_at);
	complete.action = `/complete/${task.id}`;
	complete.firstElementChild.setAttribute("aria-labelledby", title.id);
	remove.action = `/delete/${task.id}`;
	remove.firstElementChild.setAttribute("aria-label", `Delete “${task.title}”`);
	mark(item, task.completed);
	complete.addEventListener("submit", (event) => { event.preventDefault(); toggle(item); });
	remove.addEventListener("submit", (event) => { event.preventDefault(); askToDelete(item); });
	return item;
}

const titleOf = (item) => item.querySelector(".title").textContent;

function mark(item, completed) {
	item.classList.toggle("done", completed);
	item.querySelector("[role=checkbox]").setAttribute("aria-checked", String(completed));
}

function showEmptiness() {
	const { q, open, after } = wanted();
	$("empty").hidden = $("tasks").childElementCount > 0;
	$("empty").textContent = q ? `Nothing found for “${q}”.`
		: open ? "Everything is done."
		: after ? "There are no more tasks."
		: "No tasks yet. Write the first one down above.";
}

let latest = 0; // the newest load; an answer that comes after a newer question is dropped

async function load() {
	const mine = ++latest;
	const { q, open, after } = wanted();
	const query = new URLSearchParams({ limit: PAGE });
	if (q) query.set("q", q);
	if (open) query.set("completed", "false");
	if (after) query.set("after", after);
	loadsAnew();
	$("tasks").setAttribute("aria-busy", "true");
	try {
		const page = await api("GET", `/api/tasks?${query}`);
		if (mine !== latest) return false;
		forgetTrouble();
		show(page);
		return true;
	} catch (trouble) {
		if (mine !== latest) return false;
		loadAgain(load, trouble);
		return false;
	} finally {
		if (mine === latest) $("tasks").setAttribute("aria-busy", "false");
	}
}

function show(page) {
	const { q, open, after } = wanted();
	$("tasks").replaceChildren(...page.items.map(element));
	$("list-heading").textContent = q ? "Found" : open ? "Open tasks" : "All tasks";
	$("first").hidden = !after;
	$("first").href = address({ q, open });
	$("next").hidden = !page.next;
	if (page.next) $("next").href = address({ q, open, after: page.next });
	showEmptiness();
}

// --- actions ------------------------------------------------------------------------------------

async function add() {
	const form = $("new");
	const button = form.querySelector("button");
	if (held(button)) return;
	const task = { title: $("title").value };
	if ($("description").value) task.description = $("description").value;
	await attempt(button, async () => {
		const made = await api("POST", "/api/tasks", task);
		form.reset();
		showFields(form, {});
		$("more").open = false;
		await showNew(made);
		say(`Added “${made.title}”`);
		$("title").focus();
	}, (trouble) => {
		if (!showFields(form, trouble.fields)) showTrouble(trouble, add);
	});
}

// A new task is always seen: a search or a later page gives way to the first page.
async function showNew(task) {
	const { q, after } = wanted();
	if (q || after) {
		history.pushState(null, "", address({ open: wanted().open }));
		fillFind();
		await load();
	} else {
		$("tasks").prepend(element(task));
		showEmptiness();
	}
	$("tasks").querySelector(`[data-id="${task.id}"]`)?.classList.add("fresh");
}

async function toggle(item) {
	const button = item.querySelector("[role=checkbox]");
	if (held(button)) return;
	if (!mayNow("user")) return say("You may look at tasks, not change them");
	const completed = button.getAttribute("aria-checked") !== "true";
	mark(item, completed);
	await attempt(button, async () => {
		const task = await api("PATCH", `/api/tasks/${item.dataset.id}`, { completed });
		mark(item, task.completed);
		say(completed ? `Done: “${task.title}”` : `Open again: “${task.title}”`);
	}, (trouble) => {
		mark(item, !completed);
		if (trouble.status === 404) return vanish(item, "That task is gone.");
		showTrouble(trouble, () => toggle(item));
	});
}

const askToDelete = (item) => askFirst(`Delete “${titleOf(item)}”?`, () => remove(item));

async function remove(item) {
	const button = item.querySelector(".delete button");
	if (held(button)) return;
	await attempt(button, async () => {
		await api("DELETE", `/api/tasks/${item.dataset.id}`);
		vanish(item, `Deleted “${titleOf(item)}”`);
	}, (trouble) => {
		if (trouble.status === 404) return vanish(item, "That task is gone.");
		showTrouble(trouble, () => remove(item));
	});
}

// Takes the item away and puts the focus on its neighbour, so that a keyboard keeps its place.
function vanish(item, words) {
	const neighbour = item.nextElementSibling ?? item.previousElementSibling;
	item.remove();
	(neighbour?.querySelector(".delete button") ?? $("title")).focus();
	if (!neighbour && !$("next").hidden) load();
	showEmptiness();
	say(words);
}

// --- finding ------------------------------------------------------------------------------------

function fillFind() {
	const { q, open } = wanted();
	if ($("q").value.trim() !== q) $("q").value = q;
	$("open").checked = open;
}

async function find() {
	const to = address({ q: $("q").value.trim(), open: $("open").checked });
	if (to === location.pathname + location.search) return;
	history.replaceState(null, "", to);
	if (await load()) say(count());
}

function count() {
	const shown = $("tasks").childElementCount;
	const more = $("next").hidden ? "" : " and more";
	return shown === 0 ? "No tasks" : shown === 1 ? `One task${more}` : `${shown} tasks${more}`;
}

async function turnPage(event) {
	if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
	event.preventDefault();
	history.pushState(null, "", event.currentTarget.href);
	if (!await load()) return;
	$("list-heading").focus();
	scrollTo({ top: 0 });
	say(count());
}

// --- the beginning ------------------------------------------------------------------------------

let typing;
$("new").addEventListener("submit", (event) => { event.preventDefault(); add(); });
$("find").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(typing); find(); });
$("q").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(find, 250); });
$("open").addEventListener("change", find);
$("first").addEventListener("click", turnPage);
$("next").addEventListener("click", turnPage);
addEventListener("popstate", () => { fillFind(); load(); });

fillFind();
giveBack($("new"));
showWho();
load();
