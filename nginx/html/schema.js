// schema.js - a JSON Schema of openapi.json as something to read, and as an example to send.

// The schema that {"$ref": "#/components/…"} stands for.
export function resolve(document, part) {
	if (!part?.$ref) return part ?? {};
	return part.$ref.slice(2).split("/").reduce((at, name) => at?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], document) ?? {};
}

const typesOf = (schema) => [schema.type ?? []].flat();

// "text (email), 1 to 200 characters, or null": what a value must be, in words.
export function words(schema) {
	const types = typesOf(schema).filter((type) => type !== "null");
	const name = { string: "text", integer: "whole number", array: "list", boolean: "true or false" }[types[0]] ?? types[0] ?? "anything";
	const said = [schema.format && !/^int/.test(schema.format) ? `${name} (${schema.format})` : name];
	const unit = types[0] === "string" ? " characters" : types[0] === "array" ? " items" : "";
	const [least, most] = [schema.minLength ?? schema.minItems ?? schema.minimum, schema.maxLength ?? schema.maxItems ?? schema.maximum];
	if (least !== undefined && most !== undefined) said.push(`${least} to ${most}${unit}`);
	else if (most !== undefined) said.push(`at most ${most}${unit}`);
	else if (least !== undefined) said.push(`at least ${least}${unit}`);
	if (schema.enum) said.push(`one of ${schema.enum.join(", ")}`);
	if (schema.const !== undefined) said.push(`always ${schema.const}`);
	if (schema.pattern) said.push(`matching ${schema.pattern}`);
	if (schema.default !== undefined) said.push(`${JSON.stringify(schema.default)} unless given`);
	if (typesOf(schema).includes("null")) said.push("or null");
	return said.join(", ");
}

const FORMATS = {
	"date-time": "2026-01-31T23:59:59Z", date: "2026-01-31", email: "ana@example.org", uri: "https://example.org/",
	uuid: "018f4d3a-7a52-7cc0-9c5b-0d4f6a1b2c3d",
};

// A value that the schema takes, as small as it can be; of an object only what is required, unless nothing is.
export function example(document, part, depth = 0) {
	const schema = resolve(document, part);
	if (schema.examples?.length) return schema.examples[0];
	if (schema.default !== undefined) return schema.default;
	if (schema.enum) return schema.enum[0];
	if (schema.const !== undefined) return schema.const;
	if (schema.oneOf ?? schema.anyOf) return example(document, (schema.oneOf ?? schema.anyOf)[0], depth);
	switch (typesOf(schema)[0]) {
	case "object": return exampleObject(document, schema, depth);
	case "array": return depth > 4 ? [] : [example(document, schema.items, depth + 1)];
	case "integer": return schema.minimum ?? 1;
	case "number": return schema.minimum ?? 9.95;
	case "boolean": return false;
	case "null": return null;
	default: return FORMATS[schema.format] ?? (/\[0-9\]\{4\}-/.test(schema.pattern ?? "") ? "2026-01" : "text");
	}
}

function exampleObject(document, schema, depth) {
	const names = Object.keys(schema.properties ?? {});
	const required = schema.required?.length ? schema.required : names;
	if (depth > 4) return {};
	return Object.fromEntries(names.filter((name) => required.includes(name))
		.map((name) => [name, example(document, schema.properties[name], depth + 1)]));
}

const make = (name, className, text) => {
	const element = document.createElement(name);
	if (className) element.className = className;
	if (text !== undefined) element.textContent = text;
	return element;
};

// The fields of an object as a list, each with what it must be; what is inside opens on demand.
function fields(api, schema, depth) {
	const list = make("dl", "schema");
	for (const [name, part] of Object.entries(schema.properties ?? {})) {
		const inner = resolve(api, part);
		const term = make("dt");
		term.append(make("code", "", name));
		if (schema.required?.includes(name)) term.append(" ", make("span", "must", "required"));
		const meaning = make("dd");
		meaning.append(make("span", "quiet", words(inner)));
		if (inner.description) meaning.append(make("p", "", inner.description));
		const below = inside(api, inner, depth + 1);
		if (below) meaning.append(below);
		list.append(term, meaning);
	}
	return list;
}

// What stands in an object or in a list of objects, closed below the first level; null for a plain value.
function inside(api, schema, depth) {
	const item = typesOf(schema)[0] === "array" ? resolve(api, schema.items) : schema;
	if (!item.properties || depth > 8) return null;
	if (depth === 0) return fields(api, item, depth);
	const more = make("details", "more");
	more.append(make("summary", "", item === schema ? "Its fields" : "Fields of an item"));
	// Made when it is opened: schemas may lead back to themselves.
	more.addEventListener("toggle", () => { if (more.open && more.childElementCount === 1) more.append(fields(api, item, depth)); });
	return more;
}

// A schema as an element to read.
export function describe(api, part) {
	const schema = resolve(api, part);
	const whole = make("div");
	if (!schema.properties) whole.append(make("p", "quiet", words(schema)));
	const tree = inside(api, schema, 0);
	if (tree) whole.append(tree);
	return whole;
}
