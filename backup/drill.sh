# drill.sh - restores what there is into a private cluster and compares it with the live one; part of ostler-backup.
#
# Rows are counted and summed in the live cluster, then a restore point is set, then it is done again.  A
# table whose sums are the same twice had them at the restore point, and must have them in what is restored.
# One that changed meanwhile is counted only: to stop it, writers would have to wait.  Every table's
# and every index's structure is checked by pg_amcheck, every page's checksum by pg_checksums.

drill() {
	find_postgres
	began=$(date +%s)
	ask 'SELECT 1' >/dev/null || fail "no drill: PostgreSQL does not answer at $host port $port, so there is nothing to compare with; restore does without"
	behind=$(archive_age)
	make_private
	live_sums before
	restore_point=ostler-drill-$(date -u +%Y%m%dT%H%M%SZ)-$$
	segment=$(ask "SELECT pg_walfile_name(pg_create_restore_point('$restore_point'))") && ask "SELECT pg_switch_wal()" >/dev/null || fail "no drill: cannot set a restore point"
	live_sums after
	wait_for_archive "$segment"
	rebuild
	compare || broken "the drill failed: what is restored is not what was copied"
	look_inside
	report
}

live_sums() { # WHEN
	psql -XAtqw -v ON_ERROR_STOP=1 -f "$here/sums.sql" >"$private/$1" || fail "no drill: cannot sum up the live tables"
}

wait_for_archive() { # SEGMENT
	deadline=$(($(date +%s) + archive_wait))
	until [ -e "$folder/wal/$1.zst" ]; do
		[ "$(date +%s)" -lt "$deadline" ] || fail "the drill failed: $1 was not archived within $archive_wait s; see PostgreSQL's log"
		sleep 0.2
	done
}

rebuild() {
	what=LATEST to='' timeline=latest target=$folder/.check-drill
	place=$target
	unfinished=$target
	restoring=$(date +%s)
	choose
	restore_base
	start_private "$place" || explain_failure
	ask_private -f "$here/sums.sql" >"$private/restored" || fail "the drill failed: what is restored cannot be read"
	rto=$(($(date +%s) - restoring))
}

compare() {
	awk -F '|' '
		FILENAME ~ /before$/ { before[$1] = $2 "|" $3; next }
		FILENAME ~ /after$/ { after[$1] = $2 "|" $3; next }
		{ restored[$1] = $2 "|" $3 }
		END {
			for (table in after) if (before[table] == after[table]) {
				rows = substr(after[table], 1, index(after[table], "|") - 1)
				if (restored[table] == after[table]) { same++; compared += rows }
				else { bad = 1; printf "%s differs: live %s, restored %s (rows|sum)\n", table, after[table], restored[table] | "cat >&2" }
			} else {
				moving = moving " " table
				if (!(table in restored) && table in before) { bad = 1; printf "%s is missing\n", table | "cat >&2" }
			}
			printf "%d tables with %d rows are the same, by count and checksum\n", same, compared
			if (moving) printf "changed meanwhile, and only counted:%s\n", moving
			exit bad
		}' "$private/before" "$private/after" "$private/restored"
}

# pg_amcheck takes the extension from the private cluster, which is thrown away.
look_inside() {
	PGHOST=$private PGPORT=5432 PGSSLMODE=disable "$bin/pg_amcheck" -w --install-missing --heapallindexed -d "$database" >"$private/amcheck" 2>&1 ||
		{ cat "$private/amcheck" >&2; broken "the drill failed: pg_amcheck found something wrong"; }
	stop_private
	[ "$(control "$place" "Data page checksum version")" = 0 ] || "$bin/pg_checksums" --check -D "$place" >"$private/checksums" 2>&1 ||
		{ cat "$private/checksums" >&2; broken "the drill failed: pages with wrong checksums"; }
}

report() {
	say "$what and the WAL behind it are good"
	say "RPO ${behind:-unknown} s: so old was the newest archived WAL when the drill began"
	say "RTO $rto s: from nothing to a PostgreSQL that answers"
	say "the drill took $(($(date +%s) - began)) s in all"
}
