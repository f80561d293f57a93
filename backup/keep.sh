# keep.sh - what is kept, how long, and what a person sees of it; part of ostler-backup.

# Removes dumps and bases that are older than their days, never the newest of a kind, and then the WAL
# that no base needs any more.  Without a base no WAL is removed.
prune() {
	find_postgres
	prune_kind dump "$dump_days"
	prune_kind base "$base_days"
	first=$(first_needed)
	[ -n "$first" ] || { say "there is no base, so all WAL is kept"; return 0; }
	[ ! -d "$folder/wal" ] || "$bin/pg_archivecleanup" -x .zst "$folder/wal" "$first" || fail "cannot prune $folder/wal"
	say "WAL is kept from $first on"
}

prune_kind() { # KIND DAYS
	oldest=$(($(date +%s) - $2 * 86400))
	last=$(newest "$1")
	for name in $(copies "$1"); do
		if [ "$name" != "$last" ] && [ "$(about "$name" started)" -lt "$oldest" ]; then
			# Away in one step: what is half removed must not look like a copy.
			mv -T -- "$folder/$name" "$folder/.old-$name" && rm -rf -- "$folder/.old-$name" || fail "cannot remove $name"
			say "$name is removed: it was older than $2 days"
		fi
	done
}

list() {
	[ -d "$folder" ] || fail "there is no folder $folder"
	for name in $(copies dump) $(copies base); do
		size=$(du -sh -- "$folder/$name" | cut -f 1)
		printf '%-22s  %6s  %s\n' "$name" "$size" "$(reach "$name")"
	done
	list_archive
}

reach() { # NAME
	ended=$(date -u -d "@$(about "$1" ended)" '+%F %T')
	case $1 in
	dump-*) echo "as of $(date -u -d "@$(about "$1" started)" '+%F %T')" ;;
	base-*) echo "any moment from $ended on, with WAL from $(about "$1" wal_start)" ;;
	esac
}

list_archive() {
	last=$(stored_segments | tail -n 1)
	[ -n "$last" ] || { echo 'no WAL is archived'; return 0; }
	first=$(first_needed)
	printf 'WAL %s to %s, %s, the newest written %d s ago\n' "$(stored_segments | head -n 1)" "$last" "$(du -sh -- "$folder/wal" | cut -f 1)" "$(archive_age)"
	[ -n "$first" ] || echo 'there is no base, without which WAL restores nothing: ostler-backup base'
	missing=$(gaps "${first:-$(stored_segments | head -n 1)}")
	[ -z "$missing" ] || echo "WAL has gaps: $missing; make a base now: ostler-backup base"
}

# For where there is no timer: in a container, and in the stack of `make run`.  A failure is told, and
# tried again in an hour.
daily() {
	trap end_daily TERM INT HUP
	aside sleep "$daily_after" || :
	while :; do
		pause=60
		if is_due && ! aside "$here/ostler-backup" -c "$conf" nightly; then
			warn "the nightly backup failed; the next try is in an hour"
			pause=3600
		fi
		aside sleep "$pause" || :
	done
}

# In a process group of its own, which a signal can end while we wait.
aside() {
	setsid -- "$@" &
	wait "$!"
}

# The last that was put aside ends first; it may not have its group yet.
end_daily() {
	trap '' TERM INT HUP
	kill -TERM -- "-${!:-}" 2>/dev/null || kill -TERM "${!:-}" 2>/dev/null || :
	wait
	exit 0
}

# nightly makes the base last, so one that is there stands for all of it.
is_due() {
	last=$(newest base)
	[ -z "$last" ] || [ $(($(date +%s) - $(about "$last" started))) -ge 86400 ]
}
