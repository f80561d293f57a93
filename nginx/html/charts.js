// charts.js - charts in the colours of the page, light or dark, that redraw in place.
//
// Chart.js comes from the system's package; nginx serves it under /lib/.

import { Chart, registerables } from "/lib/chart.js/chart.mjs";

Chart.register(...registerables);

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// The axes anew each time: what Chart.js has made of them is not what it was given.
function axes(format) {
	const ticks = { color: colour("quiet"), ...(format && { callback: (value) => format(value) }) };
	return {
		x: { grid: { display: false }, ticks: { color: colour("quiet") } },
		y: { beginAtZero: true, grid: { color: colour("line") }, ticks },
	};
}

// A chart of the kind TYPE ("bar", "line") on the canvas ID; FORMAT writes a value beside its axis.
// Its update(labels, values) draws anew.
export function chart(id, type, format) {
	const made = new Chart(document.getElementById(id), {
		type,
		data: { labels: [], datasets: [{ data: [], tension: 0.25, pointRadius: 2, borderRadius: 4, maxBarThickness: 48 }] },
		options: {
			responsive: true, maintainAspectRatio: false, animation: still.matches ? false : { duration: 250 },
			plugins: { legend: { display: false } }, scales: axes(format),
		},
	});
	const paint = () => {
		made.options.scales = axes(format);
		Object.assign(made.data.datasets[0], { backgroundColor: colour("accent"), borderColor: colour("accent") });
	};
	paint();
	dark.addEventListener("change", () => { paint(); made.update("none"); });
	return {
		update(labels, values) {
			made.data.labels = labels;
			made.data.datasets[0].data = values;
			made.update();
		},
	};
}
