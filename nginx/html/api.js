// api.js - asks the JSON API, and turns whatever goes wrong into words for a person.

const PATIENCE = 15_000; // ms until a request counts as unanswered

// A failure as a person can read it; fields maps the name of an input to what is wrong with it.
export class Trouble extends Error {
	constructor(text, { status = 0, fields = {}, retryAfter = 0 } = {}) {
		super(text);
		Object.assign(this, { status, fields, retryAfter });
	}

	// Whether the same may well succeed in a moment: nobody answered, or the service is away.
	get passes() { return this.status === 0 || this.status >= 500; }
}

// The whole answer to a request that succeeded: its JSON (null without a body), headers and the
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
			const json = reply.status === 204 ? null : await reply.json();
			return { json, headers: reply.headers, ms: performance.now() - asked };
		}
	} catch {
		throw new Trouble(navigator.onLine
			? "The server does not answer." : "You are offline. Nothing you wrote is lost.");
	}
	throw await troubleIn(reply);
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
		status: reply.status, fields, retryAfter: Number(reply.headers.get("Retry-After")) || 0,
	});
}
