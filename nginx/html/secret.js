// secret.js - fields for passwords: shown on demand, and told of Caps Lock.
//
// A page that uses it has such a field in an element of class secret, beside a button of class show, and
// an element of class caps in the same field.

function hide(button, input) {
	input.type = "password";
	button.setAttribute("aria-pressed", "false");
	button.textContent = "Show";
}

function equip(box) {
	const [input, button] = [box.querySelector("input"), box.querySelector(".show")];
	const caps = box.closest(".field").querySelector(".caps");
	button.hidden = false;
	button.addEventListener("click", () => {
		if (input.type === "text") return hide(button, input);
		input.type = "text";
		button.setAttribute("aria-pressed", "true");
		button.textContent = "Hide";
	});
	for (const kind of ["keydown", "keyup"]) {
		input.addEventListener(kind, (event) => {
			const on = event.getModifierState?.("CapsLock") ?? false;
			if (on !== (caps.textContent !== "")) caps.textContent = on ? "Caps Lock is on." : "";
		});
	}
	input.addEventListener("blur", () => { caps.textContent = ""; });
	// Sent, it is a password again: what browsers remember of fields of text, it is not.
	input.form.addEventListener("submit", () => hide(button, input), { capture: true });
	input.form.addEventListener("reset", () => hide(button, input));
}

for (const box of document.querySelectorAll(".secret")) equip(box);
