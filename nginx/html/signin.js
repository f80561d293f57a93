// signin.js - a name and a password, then a code where an account wants one, then back to where somebody was.

import { Trouble, api } from "/api.js";
import { refuse, whenSent } from "/door.js";
import { forgetDraft, hasDraft, remember, remembered } from "/memory.js";
import { $, showFields } from "/page.js";
import "/secret.js";
import { hasEnded, keepWay, wayBack } from "/way.js";

const form = $("enter");

// --- steps ----------------------------------------------------------------------------------------

// The name and the password stay in the form, so that all of it is sent as one.
function showStep(second) {
	$("first-step").hidden = second;
	$("second-step").hidden = !second;
	$("back").hidden = !second;
	$("go").textContent = second ? "Go on" : "Sign in";
	$("code").disabled = !second;
	$("code").value = "";
	showFields(form, {});
	refuse(form);
	(second ? $("code") : $("username").value ? $("password") : $("username")).focus();
}

const isSecondStep = () => !$("second-step").hidden;

// A code of an app has digits only, a recovery code letters, too.
function offerRecovery(recovery) {
	$("recovery").setAttribute("aria-pressed", String(recovery));
	$("recovery").textContent = recovery ? "Use the authenticator app instead" : "Use a recovery code instead";
	document.querySelector("label[for=code]").textContent = recovery ? "One of your recovery codes" : "Code of your authenticator app";
	$("code").inputMode = recovery ? "text" : "numeric";
	$("code").autocomplete = recovery ? "off" : "one-time-code";
	$("code").focus();
}

// --- sending --------------------------------------------------------------------------------------

function missing() {
	const fields = {};
	for (const name of isSecondStep() ? ["code"] : ["username", "password"])
		if (!$(name).value.trim()) fields[name] = "is missing";
	return fields;
}

async function enter() {
	const fields = missing();
	if (Object.keys(fields).length > 0) throw new Trouble("Something is missing.", { status: 422, fields });
	showFields(form, {});
	const sent = { username: $("username").value, password: $("password").value };
	if (isSecondStep()) sent.code = $("code").value.trim();
	go(await api("POST", "/api/login", sent));
}

function go(me) {
	remember(me);
	location.replace(wayBack());
}

// Returns whether it has said what is wrong.
function wrong(trouble) {
	if (trouble.code === "totp_required") {
		showStep(true);
		return true;
	}
	if (/^totp_/.test(trouble.code)) return showFields(form, { code: trouble.message });
	if (isSecondStep() && trouble.code === "bad_credentials") showStep(false);
	const at = isSecondStep() ? $("code") : $("password");
	if (trouble.status === 401) at.select();
	if (trouble.status === 401 || trouble.status === 429) at.focus();
	if (isSecondStep() && (trouble.fields.username || trouble.fields.password)) showStep(false);
	return false;
}

// --- the beginning --------------------------------------------------------------------------------

// Whoever is signed in already has no business here, unless that was long ago.
async function lookWhether() {
	try {
		go(await api("GET", "/api/me"));
	} catch (trouble) {
		if (!(trouble instanceof Trouble)) throw trouble;
		if (trouble.status === 401) remember(null);
	}
}

keepWay();
if (hasEnded()) {
	$("ended").textContent = hasDraft()
		? "Your session has ended. Sign in to go on; what you wrote is kept." : "Your session has ended. Sign in to go on.";
	$("ended").hidden = false;
} else if (!new URLSearchParams(location.search).has("to")) {
	forgetDraft();
}
showStep(false);
whenSent(form, enter, wrong);
$("recovery").addEventListener("click", () => offerRecovery($("recovery").getAttribute("aria-pressed") !== "true"));
$("back").addEventListener("click", () => showStep(false));
if (remembered()) lookWhether();
