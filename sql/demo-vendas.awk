# demo-vendas.awk - ROWS sales of two years, 2025-01 to 2026-12, as CSV for COPY; the same each time.
#
# The numbers come from a generator of its own, because awk's rand() differs between awks.

function random(below)
{
	seed = (seed * 16807) % 2147483647 # Park and Miller; the product fits a double
	return int(seed / 2147483647 * below)
}

function region(at)
{
	return at < 42 ? "Sudeste" : at < 62 ? "Sul" : at < 80 ? "Nordeste" : at < 92 ? "Centro-Oeste" : "Norte"
}

BEGIN {
	seed = 20250101
	products = split("Notebook 3499.00 Monitor 899.90 Teclado 189.50 Mouse 79.90 Headset 259.00 " \
		"Webcam 329.00 Cadeira 1199.00 Mesa 749.00 Luminária 149.90 Mochila 219.90", part, " ") / 2
	split("31 28 31 30 31 30 31 31 30 31 30 31", days, " ")
	for (row = 0; row < rows; order++) {
		# Later months sell a little more, December most of all.
		do {
			month = random(24)
			weight = 60 + month + (month % 12 == 11 ? 40 : 0)
		} while (random(124) >= weight)
		year = 2025 + int(month / 12)
		of_year = month % 12 + 1
		when = sprintf("%d-%02d-%02dT%02d:%02d:%02dZ", year, of_year, 1 + random(days[of_year]),
			random(24), random(60), random(60))
		where = region(random(100))
		for (lines = 1 + random(3); lines > 0 && row < rows; lines--) {
			product = random(products)
			quantity = 1 + random(4)
			printf "P-%07d,%s,%s,%s,%d,%.2f\n", order + 1, when, where, part[2 * product + 1],
				quantity, part[2 * product + 2] * quantity
			row++
		}
	}
}
