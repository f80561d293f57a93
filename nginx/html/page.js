// page.js - what every page says and shows alike: words said aloud, trouble, what is wrong in a form.
//
// A page that uses it has the elements #said, #trouble with #trouble-text and #retry, and for each
// input with an id an element ID-error.

import { Trouble } from "/api.js";

export const $ = (id) => document.getElementById(id);

// A copy of the first element in the template ID; text from the server only ever becomes text in it.
export const clone = (id) => $(id).content.firstElementChild.cloneNode(true);

// A day and, of today, a time.
export function dateOf(text) {
	const date = new Date(text);
	const today = new Date().toDateString() === date.toDateString();
	return today ? `Today, ${date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`
		: date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
}

let silence;
export function say(text) {
	$("said").textContent = text;
	clearTimeout(silence);
	silence = setTimeout(() => { $("said").textContent = ""; }, 5000);
}

let again = null; // what "Try again" repeats

export function showTrouble(trouble, repeat) {
	again = repeat;
	$("trouble-text").textContent = trouble.message;
	$("trouble").hidden = false;
	if (trouble.status === 429) countDown($("retry"), trouble.retryAfter);
}

export function forgetTrouble() {
	again = null;
	$("trouble").hidden = true;
}

$("retry").addEventListener("click", () => { if (!held($("retry"))) again?.(); });

// What only reads can be asked again without harm, so a short outage heals by itself: LOAD runs again
// when the service may be back.  A page calls loadsAnew whenever it loads for another reason.
let healing = null;
let waiting;
export function loadAgain(load, trouble) {
	showTrouble(trouble, load);
	healing = load;
	clearTimeout(waiting);
	if (trouble.passes) waiting = setTimeout(load, 1000 * Math.max(trouble.retryAfter, 5));
}
export const loadsAnew = () => clearTimeout(waiting);

addEventListener("online", () => { if (again !== null && again === healing) again(); });

// Shows what is wrong beside each field; returns whether any field was named.
export function showFields(form, fields) {
	let first = null;
	for (const input of form.querySelectorAll("input, textarea, select")) {
		const wrong = fields[input.name];
		const error = $(`${input.id}-error`);
		if (!error) continue;
		error.textContent = wrong ?? "";
		error.hidden = !wrong;
		input.dataset.hint ??= input.getAttribute("aria-describedby") ?? "";
		input.setAttribute("aria-describedby", `${wrong ? error.id : ""} ${input.dataset.hint}`.trim());
		input.removeAttribute("aria-invalid");
		if (!wrong) continue;
		input.setAttribute("aria-invalid", "true");
		input.closest("details")?.setAttribute("open", "");
		first ??= input;
	}
	first?.focus();
	return first !== null;
}

// Runs ACTION with its button held; what goes wrong is UNDO's to tell.
export async function attempt(button, action, undo = () => {}) {
	button.setAttribute("aria-disabled", "true");
	try {
		await action();
		forgetTrouble();
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		undo(trouble);
	} finally {
		if (!button.querySelector(".count")) button.removeAttribute("aria-disabled");
	}
}

export const held = (button) => button.getAttribute("aria-disabled") === "true";

// Holds BUTTON for so many SECONDS, which it shows, and calls THEN.  Nobody has to hear each of them.
export function countDown(button, seconds, then = () => {}) {
	button.querySelector(".count")?.remove();
	const count = Object.assign(document.createElement("span"), { className: "count" });
	const end = performance.now() + 1000 * seconds;
	count.setAttribute("aria-hidden", "true");
	button.append(count);
	button.setAttribute("aria-disabled", "true");
	const tick = () => {
		const left = Math.ceil((end - performance.now()) / 1000);
		if (!count.isConnected) return;
		count.textContent = ` (${left} s)`;
		if (left > 0) return setTimeout(tick, 250);
		count.remove();
		button.removeAttribute("aria-disabled");
		then();
	};
	tick();
}

// Puts VALUE into a field as what is there already, so that only what a person changes counts as theirs.
export function fill(input, value) {
	for (const option of input.options ?? []) option.defaultSelected = option.value === value;
	input.defaultValue = value;
	input.value = value;
}

// Asks QUESTION in the dialog #sure, whose button "delete" does it; VERB is other words for that.
export function askFirst(question, act, verb) {
	const sure = $("sure");
	const button = sure.querySelector("[value=delete]");
	button.dataset.verb ??= button.textContent;
	button.textContent = verb ?? button.dataset.verb;
	$("sure-text").textContent = question;
	sure.returnValue = "";
	sure.addEventListener("close", () => { if (sure.returnValue === "delete") act(); }, { once: true });
	sure.showModal();
}
