// forgot.js - asks for a link by which to choose another password.  The answer is the same for everybody.

import { Trouble, api } from "/api.js";
import { giveWay, whenSent } from "/door.js";
import { $, showFields } from "/page.js";
import { keepWay } from "/way.js";

const form = $("ask");

// A user name may look like an address, and be one.
const asked = (text) => /^\S+@\S+\.\S+$/.test(text) ? { username: text, email: text } : { username: text };

async function ask() {
	const who = $("username").value.trim();
	if (!who) throw new Trouble("Something is missing.", { status: 422, fields: { username: "is missing" } });
	showFields(form, {});
	await api("POST", "/api/password/forgot", asked(who));
	$("sent-text").textContent = `If there is an account “${who}”, a letter with a link is on its way to its e-mail address.`;
	giveWay(form, "sent");
}

keepWay();
whenSent(form, ask);
$("anew").addEventListener("click", () => {
	$("sent").hidden = true;
	form.hidden = false;
	$("username").focus();
});
$("username").focus();
