// jobs.js - the queue, for operators: each kind and how it does, the jobs themselves, and what to do about them.

import { Trouble, api } from "/api.js";
import { $, askFirst, attempt, clone, dateOf, forgetTrouble, held, loadAgain, loadsAnew, say, showTrouble } from "/page.js";
import { pageFor } from "/who.js";

const LOOK = 5_000; // ms between two looks while the page is seen

// --- words ----------------------------------------------------------------------------------------

function duration(ms) {
	if (ms === null) return "–";
	if (ms < 1) return "< 1 ms";
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
	return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

const rate = (number) => number < 10 ? number.toFixed(1) : String(Math.round(number));

const statusOf = (job) => job.status === "running" && job.progress !== null ? `running, ${job.progress} %` : job.status;

// --- kinds ----------------------------------------------------------------------------------------

function kindRow(kind) {
	const row = clone("kind-row");
	const set = (name, text) => { row.querySelector(`.${name}`).textContent = text; };
	set("kind", kind.paused_at ? `${kind.kind} (paused)` : kind.kind);
	for (const name of ["queued", "scheduled", "running", "retrying", "failed"]) set(name, kind[name]);
	set("oldest", duration(kind.oldest_seconds === null ? null : 1000 * kind.oldest_seconds));
	set("rate", rate(kind.completed_per_minute));
	set("takes", duration(kind.mean_ms));
	const button = row.querySelector("button");
	const verb = kind.paused_at ? "resume" : "pause";
	button.textContent = kind.paused_at ? "Resume" : "Pause";
	button.dataset.key = `${verb} ${kind.kind}`;
	button.setAttribute("aria-label", `${button.textContent} ${kind.kind}`);
	button.addEventListener("click", () => act(button, "POST", `/api/jobs/kinds/${encodeURIComponent(kind.kind)}/${verb}`,
		`${kind.kind} is ${kind.paused_at ? "resumed" : "paused"}`));
	return row;
}

function offerKinds(kinds) {
	const known = new Set([...$("kind").options].map((option) => option.value));
	for (const { kind } of kinds) if (!known.has(kind)) $("kind").add(new Option(kind, kind));
}

// --- jobs -----------------------------------------------------------------------------------------

let after = null; // the cursor of the page that is shown

function question() {
	const asked = new URLSearchParams();
	for (const name of ["kind", "status"]) if ($(name).value) asked.set(name, $(name).value);
	if (after) asked.set("after", after);
	return `/api/jobs?${asked}`;
}

// What can be done about a job in this state: the verb, its words, and what is said when it is done.
function remedyFor({ status }) {
	if (status === "failed" || status === "cancelled") return { verb: "retry", text: "Try again", said: "waits again" };
	if (status === "retrying") return { verb: "retry", text: "Try now", said: "is tried now" };
	if (status === "queued" || status === "running") return { verb: "cancel", text: "Cancel", said: "is cancelled" };
	return null;
}

function jobRow(job) {
	const row = clone("job-row");
	const set = (name, text) => { row.querySelector(`.${name}`).textContent = text; };
	set("created", dateOf(job.created_at));
	set("kind", job.kind);
	set("status", statusOf(job));
	set("attempt", `${job.attempt} of ${job.max_attempts}`);
	set("why", job.error ?? "");
	const more = row.querySelector(".more");
	more.dataset.key = `more ${job.id}`;
	more.setAttribute("aria-label", `Details of ${job.kind} ${job.id}`);
	more.addEventListener("click", () => showDetails(job));
	const button = row.querySelector(".does");
	const remedy = remedyFor(job);
	if (!remedy) {
		button.remove();
		return row;
	}
	button.textContent = remedy.text;
	button.dataset.key = `${remedy.verb} ${job.id}`;
	button.setAttribute("aria-label", `${remedy.text}: ${job.kind} ${job.id}`);
	const go = () => act(button, "POST", `/api/jobs/${job.id}/${remedy.verb}`, `${job.kind} ${remedy.said}`);
	button.addEventListener("click", () => remedy.verb === "cancel" ? askFirst(`Cancel this ${job.kind}?`, go) : go());
	return row;
}

function showDetails(job) {
	$("about-heading").textContent = job.kind;
	$("about-text").textContent = JSON.stringify(job, null, 2);
	$("about").showModal();
}

// --- looking --------------------------------------------------------------------------------------

let latest = 0; // the newest load; an answer that comes after a newer question is dropped
let looking;

// New rows in the place of old ones, with the focus where it was: a look must not take it away.
function replaceRows(body, rows) {
	const key = document.activeElement?.dataset?.key;
	body.replaceChildren(...rows);
	if (key) body.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

async function load() {
	const mine = ++latest;
	loadsAnew();
	clearTimeout(looking);
	try {
		const [kinds, jobs] = await Promise.all([api("GET", "/api/jobs/kinds"), api("GET", question())]);
		if (mine !== latest) return;
		forgetTrouble();
		replaceRows($("kind-rows"), kinds.items.map(kindRow));
		replaceRows($("job-rows"), jobs.items.map(jobRow));
		offerKinds(kinds.items);
		$("no-kinds").hidden = kinds.items.length > 0;
		$("no-jobs").hidden = jobs.items.length > 0;
		$("first").hidden = !after;
		$("next").hidden = !jobs.next;
		$("next").value = jobs.next ?? "";
		looking = setTimeout(look, LOOK);
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		if (mine === latest) loadAgain(load, trouble);
	} finally {
		if (mine === latest) for (const id of ["kinds", "jobs"]) $(id).setAttribute("aria-busy", "false");
	}
}

// Nobody is looking at a page in the background, and nobody wants rows to move under an open dialog.
function look() {
	if (document.hidden || document.querySelector("dialog[open]")) looking = setTimeout(look, LOOK);
	else load();
}

function turnPage(cursor) {
	after = cursor;
	load();
	$("jobs-heading").scrollIntoView();
}

// --- doing ----------------------------------------------------------------------------------------

async function act(button, method, path, said, body) {
	if (held(button)) return;
	await attempt(button, async () => {
		await api(method, path, body);
		say(said);
		await load();
	}, (trouble) => showTrouble(trouble, () => act(button, method, path, said, body)));
}

function redrive() {
	const kind = $("kind").value;
	askFirst(`Try ${kind ? `failed jobs of kind ${kind}` : "all failed jobs"} again, up to 1,000?`, () =>
		act($("redrive"), "POST", "/api/jobs/redrive", "They wait again", kind ? { kind } : {}));
}

// --- the beginning ----------------------------------------------------------------------------------

for (const id of ["kind", "status"]) $(id).addEventListener("change", () => { after = null; load(); });
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("redrive").addEventListener("click", redrive);
$("first").addEventListener("click", () => turnPage(null));
$("next").addEventListener("click", (event) => turnPage(event.currentTarget.value));
pageFor("manager", () => {
	document.addEventListener("visibilitychange", () => { if (!document.hidden) load(); });
	load();
});
