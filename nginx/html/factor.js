// factor.js - the second factor on the page of one's account: set up with an app, recovery codes, turned off.
//
// One step is shown at a time: what there is, the password that proves who asks, the QR code to scan,
// the recovery codes.  Codes and secrets stand in the page only as long as their step.

import { api } from "/api.js";
import { refuse, showWrong } from "/door.js";
import { $, attempt, dateOf, forgetTrouble, held, loadAgain, say, showFields } from "/page.js";

const STEPS = ["prove", "confirm", "codes"];

// What the password is asked for, and what comes behind it.
const WISHES = {
	begin: { why: "To set up a second factor, type your password.", button: "factor-begin",
		act: async (password) => showSecret(await api("POST", "/api/me/totp", { password })) },
	codes: { why: "For new recovery codes, type your password. The codes you have now end.", button: "factor-codes",
		act: async (password) => showCodes(await api("POST", "/api/me/totp/recovery-codes", { password })) },
	end: { why: "To turn the second factor off, type your password. From then on a password is enough to sign in.", button: "factor-end",
		act: async (password) => {
			await api("POST", "/api/me/totp/disable", { password });
			await finish("The second factor is off", "factor-begin");
		} },
};
let wish = null;

// --- what there is --------------------------------------------------------------------------------

function describe({ enabled, confirmed_at: since, recovery_codes: left }) {
	if (!enabled) return "Signing in takes your password alone. With a second factor it takes a code from an app on your phone as well.";
	const codes = left === 1 ? "One recovery code is" : `${left || "No"} recovery codes are`;
	return `On since ${dateOf(since).replace("Today", "today")}. Signing in takes a code of your authenticator app. ${codes} unused.`;
}

export async function showFactor() {
	try {
		const factor = await api("GET", "/api/me/totp");
		forgetTrouble();
		$("factor-state").textContent = describe(factor);
		$("factor-begin").hidden = factor.enabled;
		$("factor-codes").hidden = $("factor-end").hidden = !factor.enabled;
		$("factor").setAttribute("aria-busy", "false");
	} catch (trouble) {
		loadAgain(showFactor, trouble);
	}
}

function showStep(step) {
	for (const name of STEPS) $(name).hidden = name !== step;
	$("factor-state").hidden = $("factor-choices").hidden = step !== null;
	$("prove").reset();
	$("confirm").reset();
	if (step !== "confirm") {
		$("qr").replaceChildren();
		$("secret").textContent = "";
	}
	if (step !== "codes") $("code-list").replaceChildren();
	for (const form of [$("prove"), $("confirm")]) {
		showFields(form, {});
		refuse(form);
	}
}

async function finish(words, focus) {
	showStep(null);
	await showFactor();
	say(words);
	$(focus).focus();
}

// --- the password ---------------------------------------------------------------------------------

function demand(name) {
	wish = WISHES[name];
	showStep("prove");
	$("prove-why").textContent = wish.why;
	$("prove-password").focus();
}

// --- the app --------------------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";

// Of the server's drawing only the outlines are taken, which can be nothing but outlines.
function drawing(text) {
	const given = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
	const image = document.createElementNS(SVG, "svg");
	image.setAttribute("viewBox", given.getAttribute("viewBox") ?? "");
	image.setAttribute("shape-rendering", "crispEdges");
	for (const path of given.querySelectorAll("path")) {
		const copy = document.createElementNS(SVG, "path");
		for (const name of ["fill", "d"]) copy.setAttribute(name, path.getAttribute(name) ?? "");
		image.append(copy);
	}
	return image;
}

function showSecret({ secret, qr }) {
	showStep("confirm");
	$("qr").hidden = !qr;
	$("qr").replaceChildren(...qr ? [drawing(qr)] : []);
	$("secret").textContent = secret.replace(/(.{4})(?=.)/g, "$1 ");
	$("code").focus();
}

// --- recovery codes -------------------------------------------------------------------------------

function showCodes({ recovery_codes: codes }) {
	showStep("codes");
	$("code-list").replaceChildren(...codes.map((code) => {
		const item = document.createElement("li");
		item.append(Object.assign(document.createElement("code"), { textContent: code }));
		return item;
	}));
	$("codes-heading").focus();
}

const codesAsText = () => [...$("code-list").children].map((item) => `${item.textContent}\n`).join("");

async function copyCodes() {
	try {
		await navigator.clipboard.writeText(codesAsText());
		say("Copied");
	} catch {
		say("Copying is not allowed here: mark them and copy them yourself");
	}
}

function saveCodes() {
	const file = new Blob([codesAsText()], { type: "text/plain" });
	const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "ostler-recovery-codes.txt" });
	link.click();
	URL.revokeObjectURL(link.href);
}

// --- the beginning --------------------------------------------------------------------------------

function whenSent(form, send) {
	const button = form.querySelector("[type=submit]");
	const submit = async () => {
		if (held(button)) return;
		refuse(form);
		await attempt(button, send, (trouble) => {
			if (trouble.code !== "bad_password") showWrong(form, trouble, submit);
			else showFields(form, { password: trouble.message });
		});
	};
	form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
}

whenSent($("prove"), () => wish.act($("prove-password").value));
whenSent($("confirm"), async () => showCodes(await api("POST", "/api/me/totp/confirm", { code: $("code").value.trim() })));
for (const [name, { button }] of Object.entries(WISHES)) $(button).addEventListener("click", () => demand(name));
for (const button of document.querySelectorAll("#factor .leave")) {
	button.addEventListener("click", () => {
		showStep(null);
		$(wish.button).focus();
	});
}
$("codes-copy").addEventListener("click", copyCodes);
$("codes-save").addEventListener("click", saveCodes);
$("codes-kept").addEventListener("click", () => finish("The second factor is on", "factor-codes"));
