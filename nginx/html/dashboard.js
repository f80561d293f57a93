// dashboard.js - the shop as it is now: asks again every five seconds, and says when what it shows is old.
//
// Answers have ETags, so the browser is told 304 while nothing has changed, and nothing is drawn anew.

import { Trouble, ask } from "/api.js";
import { $, forgetTrouble, say, showTrouble } from "/page.js";
import { show } from "/panels.js";
import { pageForAnyone } from "/who.js";

const LOOK = 5_000; // ms between two looks while the page is seen
const OLD = 15_000; // ms after which numbers are called old

const paused = () => $("pause").getAttribute("aria-pressed") === "true";

// --- what is wanted; it stands in the address -----------------------------------------------------

const standard = { line: "1h", window: "today" };

function wanted() {
	const query = new URLSearchParams(location.search);
	return Object.fromEntries(Object.entries(standard).map(([name, usual]) => {
		const said = query.get(name);
		return [name, [...$(name).options].some(({ value }) => value === said) ? said : usual];
	}));
}

function want(change) {
	history.replaceState(null, "", `?${new URLSearchParams({ ...wanted(), ...change })}`);
}

// What is asked, and what shows it.
const questions = ({ line, window }) => ({
	realtime: "/api/metrics/realtime",
	timeline: `/api/metrics/timeline?window=${line}`,
	summary: `/api/metrics/summary?window=${window}`,
	categories: `/api/metrics/by-category?window=${window}`,
	products: `/api/metrics/top-products?window=${window}&limit=10`,
	types: `/api/metrics/event-types?window=${window}`,
});

// --- looking --------------------------------------------------------------------------------------

let latest = 0; // the newest look; an answer that comes after a newer question is dropped
let looking;
let seenAt = null; // when all numbers last came, by this machine's clock
const drawn = {}; // of each part the question and ETag of what stands there

async function lookAt(name, question, wish, mine) {
	const answer = await ask("GET", question);
	const version = `${question} ${answer.headers.get("ETag")}`;
	if (mine !== latest) return answer;
	if (drawn[name] !== version) show[name](answer.json, wish);
	drawn[name] = version;
	return answer;
}

async function look() {
	const mine = ++latest;
	const wish = wanted();
	clearTimeout(looking);
	const answers = await Promise.allSettled(Object.entries(questions(wish)).map(([name, question]) => lookAt(name, question, wish, mine)));
	if (mine !== latest) return;
	const wrong = answers.find(({ status }) => status === "rejected")?.reason;
	if (wrong && !(wrong instanceof Trouble)) throw wrong;
	if (wrong) {
		showTrouble(wrong, look);
	} else {
		seenAt = Date.now();
		forgetTrouble();
	}
	if (answers[0].value) tellParts(answers[0].value);
	for (const id of ["now", "shop"]) $(id).setAttribute("aria-busy", String(seenAt === null));
	tellAge();
	if (!paused()) looking = setTimeout(lookWhileSeen, Math.max(LOOK, 1000 * (wrong?.retryAfter ?? 0)));
}

// Nobody is looking at a page in the background.
function lookWhileSeen() {
	if (document.hidden) looking = setTimeout(lookWhileSeen, LOOK);
	else look();
}

// --- how it stands --------------------------------------------------------------------------------

const clock = (time) => time.toLocaleTimeString("en-GB");

// What is away, as the answer about the last minute tells: its numbers, and how it was made.
function tellParts({ json: { lag, applied_at: applied }, headers }) {
	const now = Date.parse(headers.get("Date"));
	const away = [];
	if (/detail=unavailable/.test(headers.get("Cache-Status") ?? "")) away.push("Redis is away: every number comes straight from the database.");
	if (lag === null) away.push("The broker does not answer: how many events wait is not known.");
	if (lag > 0 && !applied) away.push("Events wait, and none was ever applied.");
	else if (lag > 0 && now - Date.parse(applied) > OLD) away.push(`Events wait: none was applied since ${clock(new Date(applied))}.`);
	const text = away.join(" ");
	if ($("parts").textContent !== text) $("parts").textContent = text;
}

function tellAge() {
	const old = seenAt !== null && Date.now() - seenAt > OLD;
	const state = paused() ? "paused" : seenAt === null ? "waiting" : old ? "old" : "live";
	document.body.dataset.state = state;
	if (seenAt === null) return;
	const words = { paused: "Paused, as of", old: "Out of date: as of", live: "Live, as of" };
	$("as-of").textContent = `${words[state]} ${clock(new Date(seenAt))}`;
}

// --- the beginning --------------------------------------------------------------------------------

function pauseOrGoOn() {
	const now = !paused();
	$("pause").setAttribute("aria-pressed", String(now));
	say(now ? "Paused" : "Live again");
	clearTimeout(looking);
	if (now) tellAge();
	else look();
}

// The table in the place of the chart, and back.
function turn(button) {
	const table = button.getAttribute("aria-pressed") !== "true";
	button.setAttribute("aria-pressed", String(table));
	const panel = button.closest(".panel");
	panel.classList.toggle("turned", table);
	panel.querySelector(".twin").tabIndex = table ? 0 : -1; // what scrolls is reached by key
}

function fillIn() {
	for (const [name, value] of Object.entries(wanted())) $(name).value = value;
}

for (const name of Object.keys(standard)) $(name).addEventListener("change", () => { want({ [name]: $(name).value }); look(); });
for (const form of document.querySelectorAll("form.picker")) form.addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll(".turn")) button.addEventListener("click", () => turn(button));
$("pause").addEventListener("click", pauseOrGoOn);
document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused()) look(); });
setInterval(tellAge, 1000);

pageForAnyone();
fillIn();
look();
