// reset.js - the page behind a link out of a letter: whoever was invited, or forgot theirs, chooses a password.

import { api } from "/api.js";
import { giveWay, whenSent } from "/door.js";
import { $, showFields } from "/page.js";
import "/secret.js";

const form = $("choose");
const token = new URLSearchParams(location.search).get("token") ?? "";

// Whoever stands behind or looks through the history later needs no link that still works.
const forgetLink = () => history.replaceState(null, "", "/reset");

async function choose() {
	showFields(form, {});
	await api("POST", "/api/password/reset", { token, password: $("password").value });
	forgetLink();
	giveWay(form, "chosen");
}

function wrong(trouble) {
	if (trouble.code !== "bad_link" && !trouble.fields.token) return false;
	forgetLink();
	giveWay(form, "stale");
	return true;
}

whenSent(form, choose, wrong);
if (token) $("password").focus();
else giveWay(form, "stale");
