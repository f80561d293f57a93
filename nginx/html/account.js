// account.js - one's own account: name, address and password.  The second factor and the sessions have
// files of their own.

import { api, ask } from "/api.js";
import { showFactor } from "/factor.js";
import { $, attempt, fill, forgetTrouble, held, loadAgain, loadsAnew, say, showFields, showTrouble } from "/page.js";
import "/secret.js";
import { loadSessions } from "/sessions.js";
import { refuse, showWrong } from "/door.js";
import { giveBack, isNow, pageFor } from "/who.js";

const FIELDS = ["name", "email", "username"];
const profile = $("profile");

// --- profile --------------------------------------------------------------------------------------

function showProfile(me, etag) {
	for (const field of FIELDS) fill($(field), me[field]);
	$("role").textContent = `Your role is ${me.role}.`;
	for (const input of document.querySelectorAll("input[autocomplete=username][readonly]")) input.value = me.username;
	profile.dataset.etag = etag;
	profile.setAttribute("aria-busy", "false");
	$("conflict").hidden = true;
	showFields(profile, {});
	isNow(me);
}

async function loadProfile() {
	loadsAnew();
	try {
		const { json: me, headers } = await ask("GET", "/api/me");
		forgetTrouble();
		showProfile(me, headers.get("ETag"));
		giveBack(profile);
	} catch (trouble) {
		loadAgain(loadProfile, trouble);
	}
}

async function saveProfile() {
	const button = profile.querySelector("[type=submit]");
	if (held(button)) return;
	const me = Object.fromEntries(FIELDS.map((field) => [field, $(field).value.trim()]));
	await attempt(button, async () => {
		const { json: saved, headers } = await ask("PATCH", "/api/me", me, { "If-Match": profile.dataset.etag });
		showProfile(saved, headers.get("ETag"));
		say("Saved");
	}, (trouble) => {
		if (trouble.status === 412) {
			$("conflict").hidden = false;
			$("theirs").focus();
		} else if (!showFields(profile, trouble.fields)) showTrouble(trouble, saveProfile);
	});
}

// What stands in the form goes over what was saved elsewhere, now that the person knows of it.
async function saveMine() {
	await attempt($("mine"), async () => {
		profile.dataset.etag = (await ask("GET", "/api/me")).headers.get("ETag");
		$("conflict").hidden = true;
		await saveProfile();
	}, (trouble) => showTrouble(trouble, saveMine));
}

// --- password -------------------------------------------------------------------------------------

async function changePassword() {
	const form = $("password");
	const button = form.querySelector("[type=submit]");
	if (held(button)) return;
	refuse(form);
	await attempt(button, async () => {
		await api("POST", "/api/me/password", { old: $("old").value, new: $("new").value });
		form.reset();
		showFields(form, {});
		say("Your password is changed");
		button.focus();
		loadSessions();
	}, (trouble) => showWrong(form, trouble, changePassword));
}

// --- the beginning --------------------------------------------------------------------------------

profile.addEventListener("submit", (event) => { event.preventDefault(); saveProfile(); });
$("theirs").addEventListener("click", async () => { await loadProfile(); $("name").focus(); });
$("mine").addEventListener("click", saveMine);
$("password").addEventListener("submit", (event) => { event.preventDefault(); changePassword(); });
pageFor("viewer", () => {
	loadProfile();
	showFactor();
	loadSessions();
});
