// register.js - a new account, whose owner is signed in at once.

import { api } from "/api.js";
import { whenSent } from "/door.js";
import { remember } from "/memory.js";
import { $, showFields } from "/page.js";
import "/secret.js";
import { keepWay, wayBack } from "/way.js";

const form = $("join");

async function join() {
	showFields(form, {});
	const account = { username: $("username").value, email: $("email").value.trim(), password: $("password").value };
	if ($("name").value.trim()) account.name = $("name").value.trim();
	remember(await api("POST", "/api/register", account));
	location.replace(wayBack());
}

keepWay();
whenSent(form, join);
$("name").focus();
