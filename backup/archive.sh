# archive.sh - WAL on its way into the archive and out of it; part of ostler-backup.
#
# A segment is compressed by zstd, whose checksum finds a flipped byte.  It is linked to its name when it
# was synchronized and read back, and its folder is synchronized behind that: only then PostgreSQL hears that
# it may forget its own.  What is there already is compared and never replaced.
#
# fetch exits with 1 for what is not there, which to PostgreSQL is the end of the archive, and with 255
# for what is broken or missing between others: above 125 it stops, where anything else would make it end
# recovery early, in silence (restore_command in PostgreSQL's manual).

archive() { # PATH NAME
	wal=$folder/wal
	case $2 in
	*[!0-9A-Za-z.]* | .* | '') misused "\"$2\" is no name of a WAL file" ;;
	esac
	[ -f "$1" ] || fail "there is no file $1"
	# Not made here: where a disk is not mounted, the folder is not there, and nothing must be written.
	[ -d "$folder" ] || fail "$2 is not archived: there is no folder $folder"
	[ -d "$wal" ] || mkdir -- "$wal" || fail "$2 is not archived: cannot make $wal"
	is_of_this_cluster "$@"
	if [ -e "$wal/$2.zst" ]; then
		is_stored "$wal/$2.zst" "$1" ||
			fail "$2 is in $wal with other content and stays; if that is broken or another cluster's, move it away"
	else
		store "$@"
	fi
	sync -- "$wal" || fail "$2 is not archived: cannot synchronize $wal"
}

is_stored() { zstd -dcq -- "$1" | cmp -s -- - "$2"; } # STORED PATH

store() { # PATH NAME
	new=$wal/.$2.new
	if zstd -1 -qf --single-thread -o "$new" -- "$1" && sync -- "$new" && is_stored "$new" "$1" && ln -- "$new" "$wal/$2.zst"; then
		rm -f -- "$new"
	else
		rm -f -- "$new"
		fail "$2 is not archived: cannot write it to $wal ($(df -h --output=avail -- "$wal" | tail -n 1 | tr -d ' ') free); PostgreSQL keeps it and tries again"
	fi
}

# A segment's first page names its cluster, at byte 24 (XLogLongPageHeaderData).  Of two clusters
# in one archive neither could be restored.
is_of_this_cluster() { # PATH NAME
	case $2 in
	*.*) return 0 ;;
	esac
	is=$(od -An -tu8 -j24 -N8 -- "$1" | tr -d ' ')
	belongs_here "$is" || fail "$2 is not archived: it is of the cluster $is, and $folder of the cluster $(cat "$folder/cluster"); give each its own folder"
}

belongs_here() { # SYSTEM_IDENTIFIER
	if [ ! -s "$folder/cluster" ]; then
		printf '%s\n' "$1" >"$folder/.cluster.new" && sync -- "$folder/.cluster.new" &&
			mv -- "$folder/.cluster.new" "$folder/cluster" && sync -- "$folder" || fail "cannot write $folder/cluster"
	fi
	[ "$(cat "$folder/cluster")" = "$1" ]
}

fetch() { # NAME PATH
	stored=$folder/wal/$1.zst
	[ -d "$folder/wal" ] || { warn "there is no archive $folder/wal"; exit 255; }
	if [ -e "$stored" ]; then
		zstd -dqf -o "$2" -- "$stored" || { warn "the archived $stored is broken"; exit 255; }
	else
		! is_missing "$1" || { warn "$1 is missing in $folder/wal, which goes on behind it"; exit 255; }
		exit 1
	fi
}

# Names of the whole segments in the archive, oldest first whatever their timelines.
stored_segments() {
	[ ! -d "$folder/wal" ] ||
		find "$folder/wal" -maxdepth 1 -name '????????????????????????.zst' -printf '%f\n' | sed 's/\.zst$//' | sort -k 1.9,1.24 -k 1.1,1.8
}

# Seconds since PostgreSQL wrote the newest segment in the archive: zstd keeps the time of its file.
archive_age() {
	last=$(stored_segments | tail -n 1)
	[ -z "$last" ] || echo $(($(date +%s) - $(stat -c %Y -- "$folder/wal/$last.zst")))
}

# A segment that no timeline has, while a later one is there.
is_missing() { # NAME
	[ ${#1} -eq 24 ] || return 1
	stored_segments | awk -v name="$1" '
		{ place = substr($0, 9) "" }
		place == substr(name, 9) "" { found = 1 }
		place > substr(name, 9) "" { later = 1 }
		END { exit !(later && !found) }'
}

# Prints each place from segment FIRST on where the archive lacks something.
gaps() { # FIRST
	size=$(stored_segments | tail -n 1)
	[ -n "$size" ] || return 0
	size=$(zstd -dcq -- "$folder/wal/$size.zst" 2>/dev/null | od -An -tu4 -j32 -N4 | tr -d ' ')
	stored_segments | awk -v first="$1" -v each="${size:-16777216}" '
		function number(hex,   i, n) {
			for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
			return n
		}
		function place(name) { return number(substr(name, 9, 8)) * (4294967296 / each) + number(substr(name, 17)) }
		BEGIN { each = each < 1048576 ? 16777216 : each; last = place(first) - 1 }
		place($0) <= last { next }
		place($0) > last + 1 { printf "%d missing before %s\n", place($0) - last - 1, $0 }
		{ last = place($0) }'
}
