// docs.js - openapi.json as a page: what there is, what it takes and gives, and a form to try it.
//
// Every operation has an address of its own: /docs#get_api_tasks opens it.

import { ask } from "/api.js";
import { $, clone, forgetTrouble, loadAgain, loadsAnew, say } from "/page.js";
import { describe, example, resolve, words } from "/schema.js";
import { pageForAnyone } from "/who.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
let api; // the document

const make = (name, properties = {}, ...children) => {
	const element = Object.assign(document.createElement(name), properties);
	element.append(...children);
	return element;
};

// --- reading ----------------------------------------------------------------------------------------

function inputsOf(operation) {
	const parameters = (operation.parameters ?? []).map((part) => resolve(api, part));
	if (parameters.length === 0) return [];
	const list = make("dl", { className: "schema" });
	for (const parameter of parameters) {
		const schema = resolve(api, parameter.schema);
		const term = make("dt", {}, make("code", { textContent: parameter.name }), " ",
			make("span", { className: "quiet", textContent: parameter.in }));
		if (parameter.required) term.append(" ", make("span", { className: "must", textContent: "required" }));
		const meaning = make("dd", {}, make("span", { className: "quiet", textContent: words(schema) }));
		const text = parameter.description ?? schema.description;
		if (text) meaning.append(make("p", { textContent: text }));
		list.append(term, meaning);
	}
	return [make("h4", { textContent: "Parameters" }), list];
}

function bodiesOf(operation) {
	const content = resolve(api, operation.requestBody).content ?? {};
	return Object.entries(content).flatMap(([media, { schema }]) =>
		[make("h4", { textContent: `Body: ${media}` }), describe(api, schema)]);
}

function answerOf([code, part]) {
	const answer = resolve(api, part);
	const element = clone("answer");
	element.querySelector(".code").textContent = code;
	element.querySelector(".what").textContent = answer.description ?? "";
	element.addEventListener("toggle", () => {
		const inside = element.querySelector(".inside");
		if (!element.open || inside.childElementCount > 0) return;
		for (const [name, header] of Object.entries(answer.headers ?? {}))
			inside.append(make("p", {}, make("code", { textContent: name }), ` ${resolve(api, header).description ?? ""}`));
		for (const [media, { schema }] of Object.entries(answer.content ?? {}))
			inside.append(make("p", { className: "quiet", textContent: media }), describe(api, schema));
		if (inside.childElementCount === 0) inside.append(make("p", { className: "quiet", textContent: "Nothing more." }));
	});
	return element;
}

// --- trying -----------------------------------------------------------------------------------------

let fieldNumber = 0;
function field(label, control) {
	control.id = `field-${++fieldNumber}`;
	return make("div", { className: "field" }, make("label", { htmlFor: control.id, textContent: label }), control);
}

function controlFor(schema) {
	if (schema.enum || schema.type === "boolean") {
		const choices = schema.enum ?? ["true", "false"];
		return make("select", {}, make("option", { value: "", textContent: "" }),
			...choices.map((choice) => make("option", { value: choice, textContent: choice })));
	}
	return make("input", { type: "text", autocomplete: "off", spellcheck: false });
}

// The form's fields: one for each parameter, one for a body of text; returns how to read them.
function fillForm(form, operation) {
	const at = form.querySelector(".fields");
	const parameters = (operation.parameters ?? []).map((part) => resolve(api, part)).map((parameter) => {
		const schema = resolve(api, parameter.schema);
		const control = controlFor(schema);
		if (parameter.required) control.value = String(example(api, schema));
		at.append(field(`${parameter.name}${parameter.required ? "" : " (optional)"}`, control));
		return { ...parameter, control };
	});
	const content = resolve(api, operation.requestBody).content ?? {};
	const [media] = Object.keys(content);
	if (!media) return { parameters };
	const value = example(api, content[media].schema);
	const body = make("textarea", { rows: 6, spellcheck: false, className: "code" });
	body.value = media === "application/json" ? JSON.stringify(value, null, 2) : String(new URLSearchParams(value));
	at.append(field(`Body (${media})`, body));
	return { parameters, media, body };
}

function requestOf(method, path, { parameters, media, body }) {
	const query = new URLSearchParams();
	const headers = media ? { "Content-Type": media } : {};
	let url = path;
	for (const { name, in: place, control } of parameters) {
		if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(control.value));
		else if (control.value === "") continue;
		else if (place === "query") query.set(name, control.value);
		else if (place === "header") headers[name] = control.value;
	}
	return [String(query) ? `${url}?${query}` : url, { method: method.toUpperCase(), headers, body: body?.value, redirect: "manual" }];
}

const pretty = (text) => { try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; } };

async function send(form, method, path, inputs) {
	const outcome = form.querySelector(".outcome");
	const show = (name, text) => { outcome.querySelector(name).textContent = text; };
	const asked = performance.now();
	outcome.hidden = false;
	show(".status", "…");
	try {
		const reply = await fetch(...requestOf(method, path, inputs));
		const text = await reply.text();
		// The form posts of pages answer by leading back: a script is not told where to.
		show(".status", reply.type === "opaqueredirect" ? "A redirect" : `${reply.status} ${reply.statusText}`);
		show(".took", `in ${Math.round(performance.now() - asked)} ms, ${text.length} bytes`);
		show(".headers", [...reply.headers].map(([name, value]) => `${name}: ${value}`).join("\n"));
		show(".content", pretty(text));
	} catch (error) {
		show(".status", "No answer");
		show(".took", error.message);
		show(".headers", "");
		show(".content", "");
	}
}

// --- the page ---------------------------------------------------------------------------------------

function element(method, path, operation) {
	const item = clone("operation");
	item.id = operation.operationId;
	item.dataset.words = [method, path, operation.summary, operation.description, ...(operation.tags ?? [])].join(" ").toLowerCase();
	item.querySelector(".verb").textContent = method.toUpperCase();
	item.querySelector(".verb").classList.add(method);
	item.querySelector(".path").textContent = path;
	item.querySelector(".says").textContent = operation.summary ?? "";
	item.querySelector(".access").textContent = `For: ${operation["x-access"] ?? "anyone"}`;
	item.addEventListener("toggle", () => { if (item.open) open(item, method, path, operation); });
	return item;
}

// What is inside is made when it is first seen: the page is there at once, however large the API.
function open(item, method, path, operation) {
	if (location.hash !== `#${item.id}`) history.replaceState(null, "", `#${item.id}`);
	if (item.dataset.made) return;
	item.dataset.made = "yes";
	item.querySelector(".inputs").append(...inputsOf(operation));
	item.querySelector(".bodies").append(...bodiesOf(operation));
	item.querySelector(".answers").append(...Object.entries(operation.responses ?? {}).map(answerOf));
	const form = item.querySelector(".try");
	const inputs = fillForm(form, operation);
	form.addEventListener("submit", (event) => { event.preventDefault(); send(form, method, path, inputs); });
}

function groupOf(tag, operations) {
	const group = clone("group");
	group.querySelector("h2").textContent = tag.name;
	group.querySelector("p").textContent = tag.description ?? "";
	group.append(...operations.map((args) => element(...args)));
	return group;
}

function show() {
	const all = Object.entries(api.paths).flatMap(([path, item]) =>
		METHODS.filter((method) => item[method]).map((method) => [method, path, item[method]]));
	$("groups").replaceChildren(...(api.tags ?? []).map((tag) =>
		groupOf(tag, all.filter(([, , operation]) => operation.tags?.includes(tag.name)))));
	$("about").prepend(`${api.info.title} ${api.info.version}: ${all.length} operations. `);
	find();
	follow();
}

function find() {
	const asked = $("q").value.toLowerCase().split(/\s+/).filter(Boolean);
	let count = 0;
	for (const item of document.querySelectorAll(".operation")) {
		item.hidden = !asked.every((word) => item.dataset.words.includes(word));
		count += !item.hidden;
	}
	for (const group of document.querySelectorAll(".group"))
		group.hidden = !group.querySelector(".operation:not([hidden])");
	$("empty").hidden = count > 0;
	return count;
}

// Opens what the address names.
function follow() {
	const item = document.getElementById(decodeURIComponent(location.hash.slice(1)));
	if (!item?.classList.contains("operation")) return;
	item.open = true;
	item.querySelector("summary").focus({ preventScroll: true });
	requestAnimationFrame(() => item.scrollIntoView()); // once what is inside has its height
}

async function load() {
	loadsAnew();
	try {
		api = (await ask("GET", "/openapi.json")).json;
		forgetTrouble();
		show();
		$("operations").setAttribute("aria-busy", "false");
	} catch (trouble) {
		loadAgain(load, trouble);
	}
}

$("find").addEventListener("submit", (event) => event.preventDefault());
$("q").addEventListener("input", () => { const count = find(); say(count === 1 ? "One operation" : `${count} operations`); });
addEventListener("hashchange", follow);
pageForAnyone();
load();
