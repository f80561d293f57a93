# checks.sh - what must be true before the stack touches anything; part of start.

say() { printf 'stack: %s\n' "$*"; }
fail() { printf 'stack: %s\n' "$*" >&2; exit 1; }
root() { [ "$(id -u)" -eq 0 ]; }

absolute_paths() {
	[ -n "$BUILD" ] || [ ! -d "$SHARE/build" ] || BUILD=$SHARE/build
	case $BUILD in '' | /*) ;; *) BUILD=$PWD/$BUILD ;; esac
	case $VAR in /*) ;; *) VAR=$PWD/$VAR ;; esac
	while [ "$VAR" != "${VAR%/}" ]; do VAR=${VAR%/}; done
	[ -n "$VAR" ] || fail "VAR must be a folder of its own, not the root of the file system"
}

# The paths end up in the configuration languages of four programs, and some of those cannot
# quote these characters.  A space is fine.
check_path() {
	case $1 in
	*[\"\'\\\$\`\%\,\@\;\{\}\#[:cntrl:]]*)
		fail "cannot work in \"$1\": its name must not contain any of \" ' \\ \$ \` % , @ ; { } # nor control characters" ;;
	esac
}

check_paths() {
	for path in "$VAR" "$SHARE" "$BUILD"; do check_path "$path"; done
	# A socket's path has at most 107 bytes (unix(7)); the longest here is sock/redis-stream.sock
	# and ostlerd may add a suffix to its own while it makes them.
	[ ${#VAR} -le 80 ] ||
		fail "\"$VAR\" is ${#VAR} bytes long; sockets inside it need a path of at most 80: choose a shorter VAR"
}

check_number() { # NAME LEAST MOST VALUE
	case $4 in
	'' | *[!0-9]* | 0?* | ??????????*) fail "$1 must be a whole number from $2 to $3, not \"$4\"" ;;
	esac
	if [ "$4" -lt "$2" ] || [ "$4" -gt "$3" ]; then
		fail "$1 must be a whole number from $2 to $3, not $4"
	fi
}

check_numbers() {
	check_number PORT 1 65535 "$PORT"
	check_number WORKERS 1 512 "$WORKERS"
	check_number JOBS 1 512 "$JOBS"
	check_number CONSUMERS 1 256 "$CONSUMERS"
	check_number DEMO_SALES 0 100000000 "$DEMO_SALES"
	check_number THREADS 1 1024 "$THREADS"
	case $LOG_LEVEL in
	debug | info | warn | error) ;;
	*) fail "LOG_LEVEL must be debug, info, warn or error, not \"$LOG_LEVEL\"" ;;
	esac
	case $INSTANCE_ID in
	'' | *[!A-Za-z0-9._-]*) fail "INSTANCE_ID may hold letters, digits and . _ - only, not \"$INSTANCE_ID\"" ;;
	esac
	check_names
}

check_names() {
	case $LISTEN$HOSTS in
	*[!]A-Za-z0-9.:\ *_\[-]*) fail "LISTEN and HOSTS hold addresses and names separated by spaces, not \"$LISTEN$HOSTS\"" ;;
	esac
}

# What else could be wrong with an origin the application says; these end up in nginx's language.
check_origins() {
	case $CORS_ORIGINS in
	*[!]A-Za-z0-9.:/\ *_\[-]*) fail "CORS_ORIGINS holds origins such as https://app.example separated by spaces, not \"$CORS_ORIGINS\"" ;;
	esac
	case $CORS_CREDENTIALS in
	true | false) ;;
	*) fail "CORS_CREDENTIALS must be true or false, not \"$CORS_CREDENTIALS\"" ;;
	esac
}

# PostgreSQL's programs are not on anybody's PATH.  A data folder stays with the version that made it.
find_postgres() {
	version=
	if [ -r "$VAR/postgres/data/PG_VERSION" ]; then
		version=$(cat "$VAR/postgres/data/PG_VERSION")
	else
		for folder in /usr/lib/postgresql/*/bin; do
			[ -x "$folder/postgres" ] || continue
			folder=${folder%/bin}
			[ "${folder##*/}" -gt "${version:-0}" ] && version=${folder##*/}
		done
	fi
	POSTGRES_BIN=/usr/lib/postgresql/${version:-none}/bin
	[ -x "$POSTGRES_BIN/postgres" ] || fail "PostgreSQL ${version:-}${version:+ }is not installed: run make deps"
}

# In BUILD when that is given or the checkout has one, otherwise where make install put it.
find_own() {
	if [ -n "$BUILD" ]; then
		[ -x "$BUILD/$1" ] || fail "$BUILD/$1 is missing: run make first"
		echo "$BUILD/$1"
	else
		command -v "$1" || fail "$1 is not installed: run make first"
	fi
}

find_programs() {
	OSTLERD=$(find_own ostlerd) && OSTLERCTL=$(find_own ostlerctl) && APP=$(find_own ostler-app) || exit 1
	find_postgres
	NGINX=$(command -v nginx) || fail "nginx is not installed: run make deps"
	REDIS=$(command -v redis-server) || fail "redis-server is not installed: run make deps"
	PSQL=$(command -v psql) || fail "psql is not installed: run make deps"
}

check_not_running() {
	! "$OSTLERCTL" -s "$VAR/ctl/ostlerd.sock" status >/dev/null 2>&1 ||
		fail "a stack is already running in $VAR; end it with: make stop VAR='$VAR'"
}

# A database that is gone while its backups are there is not begun anew, which would hide that.
check_backups() {
	[ -e "$VAR/postgres/data/PG_VERSION" ] || [ ! -s "$VAR/backup/cluster" ] ||
		fail "there is no database in $VAR/postgres/data, but there are backups of one in $VAR/backup: bring it back with
	$SHARE/backup/ostler-backup -c '$VAR/etc/backup.conf' restore LATEST '$VAR/postgres/data'
or, to begin with an empty one, move $VAR/backup away"
}

# A listening socket is in state 0A in the kernel's table, its port in hexadecimal (proc(5)).
check_port_is_free() { # NAME PORT
	hex=$(printf '%04X' "$2")
	! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { found = 1 } END { exit !found }' ||
		fail "port $2 is already taken by another program; choose another one: $AGAIN $1=$(($2 % 65535 + 1))"
	first_free=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)
	root || [ "$2" -ge "$first_free" ] ||
		fail "only root may listen on port $2; choose one from $first_free: $AGAIN PORT=8080"
}
