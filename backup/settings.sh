# settings.sh - what backup.conf says, and how to reach PostgreSQL; part of ostler-backup.

folder=/var/backups/ostler
host=/var/run/postgresql
port=5432
user=postgres
database=ostler
password_file=
sslmode=prefer
postgres_bin=
checkpoint=fast
dump_days=7
base_days=7
archive_wait=60
daily_after=300

# Paths go into restore_command, which PostgreSQL and then a shell take apart.
check_path() { # NAME VALUE
	case $2 in
	*[\"\'\\\$\`\%[:cntrl:]]*) wrong "$1 must not contain any of \" ' \\ \$ \` % nor control characters" ;;
	/*) ;;
	*) wrong "$1 must be an absolute path, not \"$2\"" ;;
	esac
}

check_number() { # NAME LEAST MOST VALUE
	case $4 in
	'' | *[!0-9]* | 0?* | ???????*) wrong "$1 must be a whole number from $2 to $3, not \"$4\"" ;;
	*) [ "$4" -ge "$2" ] && [ "$4" -le "$3" ] || wrong "$1 must be a whole number from $2 to $3, not $4" ;;
	esac
}

check_name() { # NAME VALUE
	case $2 in
	'' | *[!A-Za-z0-9_-]*) wrong "$1 may hold letters, digits, _ and - only, not \"$2\"" ;;
	esac
}

check_word() { # NAME VALUE WORD…
	name=$1 value=$2
	shift 2
	for word; do
		[ "$word" != "$value" ] || return 0
	done
	wrong "$name must be one of: $*; not \"$value\""
}

wrong() {
	warn "$conf:$number: $*"
	mistakes=$((mistakes + 1))
}

take_setting() { # NAME VALUE
	case $1 in
	folder) check_path "$@" && folder=$2 ;;
	host) host=$2 ;;
	port) check_number port 1 65535 "$2" && port=$2 ;;
	user) check_name "$@" && user=$2 ;;
	database) check_name "$@" && database=$2 ;;
	password_file) check_path "$@" && password_file=$2 ;;
	sslmode) check_word "$@" disable allow prefer require verify-ca verify-full && sslmode=$2 ;;
	postgres_bin) check_path "$@" && postgres_bin=$2 ;;
	checkpoint) check_word "$@" fast spread && checkpoint=$2 ;;
	dump_days) check_number dump_days 1 36500 "$2" && dump_days=$2 ;;
	base_days) check_number base_days 1 36500 "$2" && base_days=$2 ;;
	archive_wait) check_number archive_wait 1 86400 "$2" && archive_wait=$2 ;;
	daily_after) check_number daily_after 0 86400 "$2" && daily_after=$2 ;;
	password) wrong "a password does not belong here; put it into a file as pgpass and name it: password_file = …" ;;
	*) wrong "there is no setting \"$1\"" ;;
	esac
}

trimmed() { # TEXT
	trimmed=${1#"${1%%[![:space:]]*}"}
	trimmed=${trimmed%"${trimmed##*[![:space:]]}"}
}

# Lines of NAME = VALUE; # begins a comment line.  All mistakes are shown at once.
read_settings() { # FILE
	[ -r "$1" ] || misused "cannot read the configuration $1"
	check=$1 number=0 mistakes=0
	check_path "the path of the configuration" "$check"
	while IFS= read -r line || [ -n "$line" ]; do
		number=$((number + 1))
		trimmed "$line"
		case $trimmed in
		'' | '#'*) continue ;;
		*=*) ;;
		*) wrong "this is no line of NAME = VALUE"; continue ;;
		esac
		line=$trimmed
		trimmed "${line%%=*}" && name=$trimmed
		trimmed "${line#*=}"
		take_setting "$name" "$trimmed"
	done <"$1"
	[ $mistakes -eq 0 ] || exit 2
	reach_postgres
}

# libpq takes where to connect from the environment, so that nothing of it is on a command line; what the
# caller's environment says counts for nothing.
reach_postgres() {
	unset PGSERVICE PGSERVICEFILE PGHOSTADDR PGOPTIONS PGPASSWORD PGPASSFILE PGTARGETSESSIONATTRS
	PGHOST=$host PGPORT=$port PGUSER=$user PGDATABASE=$database PGSSLMODE=$sslmode
	PGAPPNAME=ostler-backup PGCONNECT_TIMEOUT=10
	export PGHOST PGPORT PGUSER PGDATABASE PGSSLMODE PGAPPNAME PGCONNECT_TIMEOUT
	[ -z "$password_file" ] || export PGPASSFILE="$password_file"
}

# PostgreSQL's programs are not on anybody's PATH; the newest, unless told which.
find_postgres() {
	[ -z "$postgres_bin" ] || { bin=$postgres_bin; return; }
	bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
	[ -x "$bin/pg_basebackup" ] || fail "PostgreSQL's programs are not here; name their folder: postgres_bin = …"
}

ask() { # SQL
	psql -XAtqw -v ON_ERROR_STOP=1 -c "$1"
}
