# copies.sh - the dumps and bases that there are, and whether they are whole; part of ostler-backup.
#
# Each is a folder: what was copied, `about` with what is to be known of it, and SHA256SUMS of all.

unfinished= # what to remove when this ends before its time

clear_unfinished() {
	rm -rf -- "$folder"/.new-* "$folder"/.old-* "$folder"/.check-*
	trap 'status=$?; clean_up; exit $status' EXIT
	trap 'exit 1' INT TERM HUP
}

clean_up() {
	[ -z "$unfinished" ] || rm -rf -- "$unfinished"
	unfinished=
}

copies() { # KIND: names, oldest first
	find "$folder" -maxdepth 1 -type d -name "$1-*" -printf '%f\n' | sort
}

newest() { copies "$1" | tail -n 1; } # KIND

about() { # NAME KEY
	sed -n "s/^$2=//p" "$folder/$1/about"
}

# Prints what is wrong with a copy, nothing when it is whole.
trouble_with() { # PATH
	# From the disk, not from memory: what was just written would be found right in any case.
	for file in "$1"/*; do
		dd if="$file" iflag=nocache count=0 status=none 2>/dev/null || :
	done
	(cd -- "$1" && sha256sum --check --quiet --strict SHA256SUMS) 2>&1 || return 0
	case ${1##*/} in
	*dump-*) "$bin/pg_restore" -f /dev/null "$1/data.dump" 2>&1 || : ;;
	*base-*) trouble_with_base "$1" ;;
	esac
}

trouble_with_base() { # PATH
	check=$folder/.check-base
	rm -rf -- "$check"
	if unpack "$1" "$check" 2>&1; then
		"$bin/pg_verifybackup" -q "$check" 2>&1 || :
	fi
	rm -rf -- "$check"
}

# Tar says when what feeds it fails; a pipe would not.
unpack() { # BASE_PATH INTO
	mkdir -- "$2" && tar -x -p -f "$1/base.tar.zst" -I 'zstd -q' -C "$2" &&
		tar -x -p -f "$1/pg_wal.tar.zst" -I 'zstd -q' -C "$2/pg_wal" && cp -- "$1/backup_manifest" "$2"
}

# Says of every copy whether it is whole, of those named or of all with the archive.
verify() { # NAME…
	find_postgres
	bad=0 all=$#
	[ $# -gt 0 ] || set -- $(copies dump) $(copies base)
	for name; do
		[ -d "$folder/$name" ] || misused "there is no copy $name; see: ostler-backup list"
		trouble=$(trouble_with "$folder/$name")
		if [ -z "$trouble" ]; then
			say "$name is whole"
		else
			warn "$name is BROKEN: $trouble"
			bad=$((bad + 1))
		fi
	done
	[ $all -gt 0 ] || verify_archive
	[ $bad -eq 0 ] || broken "$bad broken; make new copies now: ostler-backup nightly"
}

verify_archive() {
	count=0
	for segment in $(stored_segments); do
		count=$((count + 1))
		zstd -tq -- "$folder/wal/$segment.zst" || { warn "the archived $segment is BROKEN"; bad=$((bad + 1)); }
	done
	first=$(first_needed)
	missing=$(gaps "${first:-$(stored_segments | head -n 1)}")
	[ -z "$missing" ] || { warn "the archive has gaps: $missing"; bad=$((bad + 1)); }
	say "$count segments of WAL were read"
}

# The oldest segment that any base needs.
first_needed() {
	for base in $(copies base); do
		about "$base" wal_start
	done | sort -k 1.9,1.24 | head -n 1
}
