// door.js - what the pages before somebody is signed in have in common.
//
// A form there has a button of class primary and an element ID-error for what is wrong with the whole.

import { $, attempt, countDown, forgetTrouble, held, say, showFields, showTrouble } from "/page.js";

// Says beneath FORM what is wrong with all of it; nothing: takes that away.
export function refuse(form, text = "") {
	const error = $(`${form.id}-error`);
	error.textContent = text;
	error.hidden = !text;
}

// What went wrong with FORM, where it belongs: beside a field, beneath the form with the time to wait,
// or at the top with a way to try again.
export function showWrong(form, trouble, again) {
	const button = form.querySelector(".primary");
	if (trouble.passes && trouble.status !== 429) return showTrouble(trouble, again);
	if (showFields(form, trouble.fields)) return;
	refuse(form, trouble.message);
	if (trouble.status === 429) {
		countDown(button, Math.max(trouble.retryAfter, 1), () => {
			refuse(form);
			say("You can try again");
		});
	}
}

// Calls SEND when FORM is submitted, once at a time; WRONG is told of a refusal, and returns whether it
// has said all there is to say.
export function whenSent(form, send, wrong = () => false) {
	const button = form.querySelector(".primary");
	const submit = async () => {
		if (held(button)) return;
		refuse(form);
		await attempt(button, async () => {
			await send();
			forgetTrouble();
		}, (trouble) => {
			if (!wrong(trouble)) showWrong(form, trouble, submit);
		});
	};
	form.noValidate = true; // what is wrong is said in the page's own words
	form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
	return submit;
}

// A form gives way to what comes of it.
export function giveWay(form, id) {
	form.hidden = true;
	$(id).hidden = false;
	$(`${id}-heading`).focus();
}
