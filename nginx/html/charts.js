// charts.js - charts in the colours of the page, light or dark, that redraw in place.
//
// Chart.js comes from the system's package; nginx serves it under /lib/.

import { Chart, registerables } from "/lib/chart.js/chart.mjs";

Chart.register(...registerables);

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// Colours that can be told apart, side by side, with the page's own first.
const colours = () => ["accent", "tone-2", "tone-3", "tone-4", "tone-5"].map(colour);

// The axes anew each time: what Chart.js has made of them is not what it was given.  VALUES is the axis
// along which values stand, FORMAT writes one.
function axes(values, format) {
	const names = values === "y" ? "x" : "y"; // bars that lie have room for every name
	return {
		[names]: { grid: { display: false }, ticks: { color: colour("quiet"), maxRotation: 0, autoSkipPadding: 12, autoSkip: names === "x" } },
		[values]: { beginAtZero: true, grid: { color: colour("line") }, ticks: { color: colour("quiet"), maxTicksLimit: 7, ...(format && { callback: (value) => format(value) }) } },
	};
}

// A chart on the canvas ID that update(labels, values) draws anew; PAINT gives it its colours, again
// whenever the page changes its own.
function draw(id, type, dataset, options, paint) {
	const made = new Chart(document.getElementById(id), {
		type,
		data: { labels: [], datasets: [{ data: [], ...dataset }] },
		options: { responsive: true, maintainAspectRatio: false, animation: still.matches ? false : { duration: 250 }, ...options },
	});
	paint(made);
	dark.addEventListener("change", () => { paint(made); made.update("none"); });
	return {
		update(labels, values) {
			made.data.labels = labels;
			made.data.datasets[0].data = values;
			made.update();
		},
	};
}

// A chart of the kind TYPE ("bar", "line"); FORMAT writes a value beside its axis.  LYING: bars from
// left to right, for long names.  OPEN: the last point of a line is not over yet, and drawn so.
export function chart(id, type, format, { lying = false, open = false } = {}) {
	const last = ({ chart: of, p1DataIndex }) => p1DataIndex === of.data.labels.length - 1;
	return draw(id, type, {
		tension: 0.25, pointRadius: open ? 0 : 2, pointHitRadius: 12, borderRadius: 4, maxBarThickness: 48, borderWidth: type === "line" ? 2 : 0,
		...(open && { fill: true, tension: 0.15, segment: { borderDash: (segment) => last(segment) ? [4, 4] : undefined } }),
	}, {
		indexAxis: lying ? "y" : "x", plugins: { legend: { display: false } }, interaction: { mode: "index", axis: lying ? "y" : "x", intersect: false },
	}, (made) => {
		made.options.scales = axes(lying ? "x" : "y", format);
		Object.assign(made.data.datasets[0], { backgroundColor: open ? colour("fresh") : colour("accent"), borderColor: colour("accent") });
	});
}

// A ring whose parts are named beneath it; FORMAT writes a part.
export function ring(id, format) {
	return draw(id, "doughnut", { borderWidth: 2 }, {
		cutout: "62%", plugins: { legend: { position: "bottom", labels: { boxWidth: 12, boxHeight: 12 } }, tooltip: { callbacks: { label: ({ label, raw }) => `${label}: ${format(raw)}` } } },
	}, (made) => {
		made.options.plugins.legend.labels.color = colour("quiet");
		Object.assign(made.data.datasets[0], { backgroundColor: colours(), borderColor: colour("card") });
	});
}

// A funnel: bars one below the other, each as wide as its value, around one middle.  PLACES: which of the
// ring's colours each has.
export function funnel(id, format, places) {
	const made = draw(id, "bar", { borderRadius: 4, borderSkipped: false, barPercentage: 0.95, categoryPercentage: 0.95 }, {
		indexAxis: "y", plugins: { legend: { display: false }, tooltip: { callbacks: { label: ({ raw: [from, to] }) => format(to - from) } } },
	}, (drawn) => {
		const { x, y } = axes("x");
		drawn.options.scales = { x: { ...x, display: false, beginAtZero: false }, y: { ...y, grid: { display: false, drawBorder: false } } };
		const all = colours();
		drawn.data.datasets[0].backgroundColor = places.map((place) => all[place]);
	});
	return { update: (labels, values) => made.update(labels, values.map((value) => [-value / 2, value / 2])) };
}
