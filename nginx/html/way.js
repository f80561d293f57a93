// way.js - the way to the page for signing in, and from there back to where somebody was.

const DOORS = ["/signin", "/register", "/forgot", "/reset"];

// Where to sign in from here; ENDED: a session has, which that page then says.
export function signInAddress(ended) {
	const query = new URLSearchParams({ to: location.pathname + location.search + location.hash });
	if (ended) query.set("ended", "");
	return `/signin?${query}`;
}

export const hasEnded = () => new URLSearchParams(location.search).has("ended");

// Where the address says that somebody was: a page of this site, or the first one.  It is judged by
// what a browser would make of it, so that "//other.example" or "/\other.example" leads nowhere.
export function wayBack() {
	const first = new URL("/", location.href);
	const to = new URLSearchParams(location.search).get("to") ?? "";
	if (!to.startsWith("/") || !URL.canParse(to, first)) return first.href;
	const way = new URL(to, first);
	return way.origin === first.origin && !DOORS.includes(way.pathname) ? way.href : first.href;
}

// From one of these pages to another the way back stays the same.
export function keepWay() {
	const to = new URLSearchParams(location.search).get("to");
	if (!to) return;
	for (const link of document.querySelectorAll("a.door")) link.search = new URLSearchParams({ to });
}
