// memory.js - what this browser remembers: who has signed in here, and what was typed and not sent.
//
// Who it is makes the next page look right before the server has said so, and is never more than a
// guess: what somebody may is for the server to decide.  What was typed stays in this tab, for the same
// person, until the page it was typed into has it back; no password is ever among it.

const PERSON = "person";
const DRAFT = "draft";

// A browser may refuse to keep anything: then nothing is remembered, and everything else works.
function read(storage, key) {
	try { return JSON.parse(globalThis[storage].getItem(key)); } catch { return null; }
}
function write(storage, key, value) {
	try {
		if (value === null) globalThis[storage].removeItem(key);
		else globalThis[storage].setItem(key, JSON.stringify(value));
	} catch { /* see above */ }
}

// --- who ------------------------------------------------------------------------------------------

// {id, name, role} of whoever was last seen to be signed in; null: nobody.
export const remembered = () => read("localStorage", PERSON);

export function remember(me) {
	write("localStorage", PERSON, me && { id: me.id, name: me.name, role: me.role });
}

// Calls CHANGED with that when another tab has signed in or out.
export function whenAnotherTabKnows(changed) {
	addEventListener("storage", (event) => { if (event.key === PERSON || event.key === null) changed(remembered()); });
}

// --- what was typed -------------------------------------------------------------------------------

const here = () => location.pathname + location.search + location.hash;

function isTyped(input) {
	if (!input.name || ["password", "hidden", "submit", "button"].includes(input.type)) return false;
	if (input.options) return [...input.options].some((option) => option.selected !== option.defaultSelected);
	return input.value !== input.defaultValue;
}

// Keeps what stands in the forms marked data-keep and is not as the page has put it there; returns
// whether there was anything.
export function keepDraft(owner) {
	const forms = {};
	for (const form of document.querySelectorAll("form[data-keep]")) {
		const typed = [...form.elements].filter(isTyped);
		if (typed.length === 0) continue;
		forms[form.id] = { etag: form.dataset.etag, fields: Object.fromEntries(typed.map((input) => [input.name, input.value])) };
	}
	if (Object.keys(forms).length === 0) return false;
	write("sessionStorage", DRAFT, { owner, at: here(), forms });
	return true;
}

export const hasDraft = () => read("sessionStorage", DRAFT) !== null;
export const forgetDraft = () => write("sessionStorage", DRAFT, null);

// Puts back into FORM what OWNER had typed at this address; returns whether there was anything.
export function restoreDraft(form, owner) {
	const draft = read("sessionStorage", DRAFT);
	if (!draft || draft.at !== here()) return false;
	if (draft.owner !== owner) {
		forgetDraft();
		return false;
	}
	const kept = draft.forms[form.id];
	if (!kept) return false;
	for (const [name, value] of Object.entries(kept.fields)) {
		const input = form.elements[name];
		if (!input) continue;
		input.value = value;
		input.closest("details")?.setAttribute("open", "");
	}
	// What others have changed meanwhile must not be written over unseen.
	if (kept.etag) form.dataset.etag = kept.etag;
	delete draft.forms[form.id];
	write("sessionStorage", DRAFT, Object.keys(draft.forms).length > 0 ? draft : null);
	return true;
}
