// api.js - asks the JSON API, and turns whatever goes wrong into words for a person.

const PATIENCE = 15_000; // ms until a request counts as unanswered

// A failure as a person can read it; fields maps the name of an input to what is wrong with it.
export class Trouble extends Error {
	constructor(text, { status = 0, code = "", fields = {}, retryAfter = 0 } = {}) {
		super(text);
		Object.assign(this, { status, code, fields, retryAfter });
	}

	// Whether the same may well succeed in a moment: nobody answered, the service is away, or it was
	// asked too often.
	get passes() { return this.status === 0 || this.status === 429 || this.status >= 500; }
}

// Calls LEAVE as soon as an answer says that nobody is signed in any more.  Whoever asked hears nothing
// then: the page is about to be another.
let leave = null;
export function whenSignedOut(act) { leave = act; }
const never = new Promise(() => {});

// The whole answer to a request that succeeded: its JSON, or what else it is as a blob, headers and the
// milliseconds it took.  Throws Trouble otherwise.
export async function ask(method, path, body, headers = {}) {
	const sent = { Accept: "application/json", ...headers };
	if (body !== undefined) sent["Content-Type"] = "application/json";
	const asked = performance.now();
	let reply;
	try {
		reply = await fetch(path, {
			method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body),
			signal: AbortSignal.timeout(PATIENCE),
		});
		if (reply.ok) {
			const isJson = /json/.test(reply.headers.get("Content-Type") ?? "");
			const read = isJson ? { json: await reply.json() } : { json: null, blob: await reply.blob() };
			return { ...read, headers: reply.headers, ms: performance.now() - asked };
		}
	} catch {
		throw new Trouble(navigator.onLine
			? "The server does not answer." : "You are offline. Nothing you wrote is lost.");
	}
	const trouble = await troubleIn(reply);
	if (!leave || trouble.code !== "not_signed_in") throw trouble;
	leave();
	return never;
}

// The same for whoever only wants the JSON.
export async function api(method, path, body) {
	return (await ask(method, path, body)).json;
}

async function troubleIn(reply) {
	const problem = await reply.json().catch(() => ({}));
	const fields = {};
	for (const { pointer, detail } of problem.errors ?? [])
		fields[String(pointer).replace(/^\//, "")] ??= detail;
	const text = problem.detail ?? (reply.status >= 500
		? "The service is not available at the moment."
		: `The server answered with status ${reply.status}.`);
	return new Trouble(text, {
		status: reply.status, code: problem.code, fields, retryAfter: Number(reply.headers.get("Retry-After")) || 0,
	});
}
