# take.sh - taking a copy: a dump or a base; part of ostler-backup.

dump() {
	begin dump
	# Roles are of no database; their passwords are hashes, and the file is its owner's alone.
	"$bin/pg_dumpall" -w --globals-only -f "$new/globals.sql" || fail "no dump: the roles could not be copied"
	"$bin/pg_dump" -w -Fc -Z6 --lock-wait-timeout=60s -f "$new/data.dump" || fail "no dump: the database $database could not be copied"
	finish
}

base() {
	begin base
	[ "$(ask "SELECT count(*) FROM pg_tablespace")" -eq 2 ] ||
		fail "no base: the cluster has tablespaces, which ostler-backup cannot restore"
	"$bin/pg_basebackup" -w -D "$new" -Ft --compress=client-zstd:level=3 -X stream --checkpoint="$checkpoint" \
		--manifest-checksums=SHA256 --label="$name" || fail "no base: pg_basebackup failed"
	zstd -3 -q --rm -- "$new/pg_wal.tar" || fail "no base: cannot write to $folder"
	label=$(tar -x -O -f "$new/base.tar.zst" -I 'zstd -q' backup_label) || fail "no base: it has no backup_label"
	note wal_start "$(printf '%s\n' "$label" | sed -n 's/^START WAL LOCATION: .*(file \([0-9A-F]*\))$/\1/p')"
	finish
}

begin() { # KIND
	find_postgres
	started=$(ask 'SELECT floor(extract(epoch FROM clock_timestamp()))::bigint') || fail "no $1: PostgreSQL does not answer at $host port $port"
	belongs_here "$(ask 'SELECT system_identifier FROM pg_control_system()')" ||
		fail "no $1: $folder has the copies of another cluster, $(cat "$folder/cluster"); give each its own folder"
	name=$1-$(date -u -d "@$started" +%Y%m%dT%H%M%SZ)
	[ ! -e "$folder/$name" ] || fail "there is a $name already; wait a second"
	new=$folder/.new-$name unfinished=$folder/.new-$name
	mkdir -- "$new" || fail "cannot write to $folder"
}

note() { printf '%s=%s\n' "$1" "$2" >>"$new/about"; } # KEY VALUE

# Sums, disk, reading back, and only then its name.
finish() {
	note started "$started"
	note ended "$(ask 'SELECT ceil(extract(epoch FROM clock_timestamp()))::bigint')"
	note server "$(ask 'SHOW server_version')"
	(cd -- "$new" && sha256sum -- * >.sums && mv .sums SHA256SUMS) && sync -- "$new"/* "$new" || fail "cannot write to $folder"
	trouble=$(trouble_with "$new")
	[ -z "$trouble" ] || broken "what was written to $folder cannot be read back, so there is no $name: $trouble"
	mv -T -- "$new" "$folder/$name" && sync -- "$folder" || fail "cannot write to $folder"
	unfinished=
	say "$name is whole: $(du -sh -- "$folder/$name" | cut -f 1)"
}
