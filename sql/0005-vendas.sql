-- Sales by order line, and what a month adds up to.

CREATE TABLE vendas (
	id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id text NOT NULL CHECK (char_length(order_id) BETWEEN 1 AND 64),
	sold_at  timestamptz NOT NULL,
	-- The month in UTC, YYYY-MM.  Made of extract(), since to_char() is not immutable.
	mes      text NOT NULL GENERATED ALWAYS AS (
		lpad(extract(year FROM sold_at AT TIME ZONE 'UTC')::integer::text, 4, '0') || '-' ||
		lpad(extract(month FROM sold_at AT TIME ZONE 'UTC')::integer::text, 2, '0')) STORED,
	region   text NOT NULL CHECK (region IN ('Norte', 'Nordeste', 'Centro-Oeste', 'Sudeste', 'Sul')),
	product  text NOT NULL CHECK (char_length(product) BETWEEN 1 AND 200),
	quantity integer NOT NULL CHECK (quantity > 0),
	total    numeric(12, 2) NOT NULL CHECK (total >= 0)
);
CREATE INDEX vendas_of_month ON vendas (mes);

-- What the report reads: a handful of rows, instead of the sum over all sales of a month.
CREATE TABLE vendas_por_regiao (
	mes    text NOT NULL,
	region text NOT NULL,
	total  numeric(14, 2) NOT NULL,
	orders bigint NOT NULL,
	PRIMARY KEY (mes, region)
);
CREATE TABLE vendas_meses (
	mes        text PRIMARY KEY,
	total      numeric(14, 2) NOT NULL,
	orders     bigint NOT NULL,
	version    bigint NOT NULL DEFAULT 1, -- raised whenever the month is summed up anew
	changed_at timestamptz NOT NULL DEFAULT now()
);

-- Whoever changes the sales of a month calls this before the commit.  An order may have lines in
-- several regions, so the orders of the regions do not add up to those of the month.
CREATE FUNCTION vendas_somar(um_mes text) RETURNS void LANGUAGE sql AS $$
	DELETE FROM vendas_por_regiao WHERE mes = um_mes;
	INSERT INTO vendas_por_regiao (mes, region, total, orders)
		SELECT mes, region, sum(total), count(DISTINCT order_id)
		  FROM vendas WHERE mes = um_mes GROUP BY mes, region;
	INSERT INTO vendas_meses (mes, total, orders)
		SELECT um_mes, coalesce(sum(total), 0), count(DISTINCT order_id) FROM vendas WHERE mes = um_mes
		ON CONFLICT (mes) DO UPDATE SET total = excluded.total, orders = excluded.orders,
			version = vendas_meses.version + 1, changed_at = now();
$$;
