# restore.sh - a cluster is made anew, from a base and the WAL behind it, or from a dump; part of ostler-backup.
#
# It is made in a folder within its place and moved up when all of it is there, PG_VERSION last:
# until then there is nothing that a PostgreSQL would start.

unfinished_name=.unfinished-restore

# Reads the command line into: what (a name), to (a time), timeline, target.
read_wish() {
	what=LATEST to='' timeline=latest target=
	while [ $# -gt 0 ]; do
		case $1 in
		--to) [ $# -gt 1 ] || misused "--to takes a time"; to=$2; shift ;;
		--timeline) [ $# -gt 1 ] || misused "--timeline takes a number"; timeline=$2; shift ;;
		-*) misused "restore knows no $1" ;;
		LATEST | base-* | dump-*) [ $# -gt 1 ] && what=$1 || target=$1 ;;
		*) [ $# -eq 1 ] || misused "restore takes LATEST or a name, and then a folder; see: ostler-backup -h"; target=$1 ;;
		esac
		shift
	done
	[ -n "$target" ] || misused "restore needs a folder to restore into"
	target=$(readlink -m -- "$target")
	case $timeline in
	latest) ;;
	*[!0-9]* | 0*) misused "a timeline is a number, not \"$timeline\"" ;;
	esac
	[ -z "$to" ] || to=$(date -u -d "$to" '+%F %T.%6N+00' 2>/dev/null) || misused "--to takes a time such as '2026-11-24 10:30:00+00'"
}

# Never over anything: what stands there may be all that is left of something.
check_target() {
	if [ -e "$target/postmaster.pid" ] && kill -0 "$(head -n 1 "$target/postmaster.pid")" 2>/dev/null; then
		fail "not restored: a PostgreSQL is running in $target"
	fi
	[ ! -e "$target/$unfinished_name" ] || fail "not restored: $target has what a restore that was interrupted left; remove all of that first"
	[ ! -e "$target" ] || [ -d "$target" ] || fail "not restored: $target is no folder"
	[ -z "$(ls -A -- "$target" 2>/dev/null)" ] || fail "not restored: $target is not empty; move what is there away, or name another folder"
}

# As root: the place is made, and given to whom the cluster will belong.
give_target() { # OWNER ARGUMENT…
	owner=$1
	shift
	read_wish "$@"
	check_target
	mkdir -p -m 0700 -- "$target" && chown -- "$owner:" "$target" || fail "cannot make $target"
}

restore() { # ARGUMENT…
	find_postgres
	read_wish "$@"
	check_target
	began=$(date +%s)
	mkdir -p -m 0700 -- "$target" && chmod 0700 -- "$target" || fail "cannot make $target"
	place=$target/$unfinished_name
	unfinished=$place
	make_private
	choose
	case $what in
	base-*) restore_base ;;
	dump-*) restore_dump ;;
	esac
	move_up
	say "$what${to:+ to $to} is restored into $target${reached:+; its last transaction is of $reached}"
	say "RTO $(($(date +%s) - began)) s"
}

# From LATEST or a time to the name of a base.
choose() {
	case $what in
	LATEST) ;;
	dump-*) [ -z "$to" ] || misused "a dump is of one moment; --to needs a base" ;;
	esac
	[ "$what" = LATEST ] || { [ -d "$folder/$what" ] || fail "there is no copy $what; see: ostler-backup list"; return 0; }
	latest=$(date -u -d "${to:-now}" +%s)
	for base in $(copies base); do
		[ -n "$to" ] && [ "$(about "$base" ended)" -gt "$latest" ] || what=$base
	done
	[ "$what" != LATEST ] || fail "there is no base${to:+ that was finished before $to}; see: ostler-backup list"
}

restore_base() {
	trouble=$(cd -- "$folder/$what" && sha256sum --check --quiet --strict SHA256SUMS 2>&1) || broken "$what is BROKEN: $trouble; choose another: ostler-backup list"
	unpack "$folder/$what" "$place" || fail "$what cannot be unpacked into $target"
	trouble=$("$bin/pg_verifybackup" -q "$place" 2>&1) || broken "$what is BROKEN: $trouble"
	rm -f -- "$place/backup_manifest"
	end_of_archive=$(newest_of_timeline)
	: >"$place/recovery.signal"
	recover || explain_failure
	reached=$(sed -n 's/.*last completed transaction was at log time //p' "$private/log" | tail -n 1)
	stop_private
	check_reached
	mark_new_timeline
}

# How far: to a time, to a restore point (drill.sh), or to the end.
recover() {
	set -- "recovery_target_timeline=$timeline" recovery_target_action=promote \
		"restore_command=\"$here/ostler-backup\" -c \"$conf\" fetch \"%f\" \"%p\""
	[ -z "$to" ] || set -- "$@" "recovery_target_time=$to"
	[ -z "${restore_point:-}" ] || set -- "$@" "recovery_target_name=$restore_point"
	start_private "$place" "$@"
}

explain_failure() {
	grep -E 'ostler-backup: |FATAL|PANIC' "$private/log" | grep -v 'the database system is' >&2 || tail -n 20 "$private/log" >&2
	! grep -q 'recovery ended before configured recovery target' "$private/log" ||
		fail "not restored: nothing in the archive was committed after $to, so it may lack what came before that; take LATEST"
	! grep -q 'ostler-backup: ' "$private/log" || broken "not restored: the archive is broken; --to a time before that still works"
	fail "not restored: PostgreSQL did not finish recovery"
}

# The last segment of the timeline that is followed, at this moment.
newest_of_timeline() {
	if [ "$timeline" = latest ]; then
		follow=$(find "$folder/wal" -maxdepth 1 \( -name '????????.history.zst' -o -name '????????????????????????.zst' \) -printf '%f\n' 2>/dev/null |
			cut -c 1-8 | sort | tail -n 1)
	else
		follow=$(printf '%08X' "$timeline")
	fi
	stored_segments | grep "^${follow:-none}" | tail -n 1
}

# PostgreSQL takes the first record that it cannot read for the end, whatever comes behind it.
check_reached() {
	[ -z "$to${restore_point:-}" ] && [ -n "$end_of_archive" ] || return 0
	at=$(control "$place" "Latest checkpoint's REDO WAL file")
	printf '%s %s\n' "$at" "$end_of_archive" | awk '{ exit !(substr($1, 9) "" >= substr($2, 9) "") }' ||
		broken "not restored: recovery ended in $at, but the archive goes on to $end_of_archive; --to a time before that still works"
}

# The cluster begins a timeline, whose history must be in the archive before its WAL is of use.  It is left
# to be archived by the PostgreSQL that is started here: what is restored for a look and thrown away
# leaves no trace in the archive, where later restores would follow it.
mark_new_timeline() {
	now=$(printf '%08X' "$(control "$place" "Latest checkpoint's TimeLineID")")
	current=$(control "$place" "Latest checkpoint's REDO WAL file")
	[ -e "$place/pg_wal/$now.history" ] || return 0
	: >"$place/pg_wal/archive_status/$now.history.ready"
	for segment in "$place/pg_wal/$now"????????????????; do
		segment=${segment##*/}
		[ "$segment" = "$current" ] || printf '%s %s\n' "$segment" "$current" | awk '{ exit !($1 "" > $2 "") }' ||
			: >"$place/pg_wal/archive_status/$segment.ready"
	done
	sync -- "$place/pg_wal/archive_status"
}

restore_dump() {
	trouble=$(trouble_with "$folder/$what")
	[ -z "$trouble" ] || broken "$what is BROKEN: $trouble"
	"$bin/initdb" --pgdata="$place" --username="$user" --encoding=UTF8 --locale=C.UTF-8 --auth-local=peer --auth-host=reject \
		--data-checksums --no-instructions >"$private/initdb" 2>&1 || { cat "$private/initdb" >&2; fail "not restored: initdb failed"; }
	start_private "$place" || explain_failure
	# initdb has made this one.
	sed "/^CREATE ROLE \"\{0,1\}$user\"\{0,1\};\$/d" "$folder/$what/globals.sql" | ask_private -d postgres -f - >/dev/null || fail "not restored: the roles could not be made"
	PGHOST=$private PGPORT=5432 PGSSLMODE=disable "$bin/pg_restore" -w --create --exit-on-error -d postgres "$folder/$what/data.dump" || fail "not restored: pg_restore failed"
	reached=
	stop_private
}

# PostgreSQL has synchronized all that is in there, at the beginning of recovery and at its end.
move_up() {
	find "$place" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv -t "$target" -- {} + &&
		sync -- "$target" && mv -- "$place/PG_VERSION" "$target" && rmdir -- "$place" && sync -- "$target" || fail "cannot finish $target"
	unfinished=
}
