# cluster.sh - a private PostgreSQL, on a socket of its own that nobody else can reach; part of ostler-backup.
#
# Its configuration is in a folder of its own, which goes when it ends: that of the cluster stays as it was
# copied, and what counts here is on postgres's command line, where it counts more than ALTER SYSTEM's.

private= # the folder of its socket and configuration, while there is one
server=  # its process

make_private() {
	private=$(mktemp -d "${TMPDIR:-/tmp}/ostler-backup.XXXXXX") || fail "cannot make a folder in ${TMPDIR:-/tmp}"
	trap 'status=$?; stop_private; rm -rf -- "$private"; clean_up; exit $status' EXIT
	printf 'local all all trust\nlocal replication all reject\n' >"$private/hba"
	: >"$private/postgresql.conf"
	: >"$private/ident"
}

# Starts it on DATA with more -c settings, and waits until it answers; fails when it ends before.
# Should this script be killed, the kernel ends it.
start_private() { # DATA SETTING…
	data=$1
	shift
	set_limits "$data"
	for setting; do
		shift
		set -- "$@" -c "$setting"
	done
	setpriv --pdeathsig INT "$bin/postgres" -D "$data" \
		-c config_file="$private/postgresql.conf" -c hba_file="$private/hba" -c ident_file="$private/ident" \
		-c listen_addresses= -c unix_socket_directories="$private" -c unix_socket_permissions=0700 -c port=5432 \
		-c archive_mode=off -c hot_standby=off -c max_wal_senders=0 -c ssl=off -c shared_preload_libraries= \
		-c logging_collector=off -c log_destination=stderr -c lc_messages=C -c log_timezone=UTC -c timezone=UTC \
		"$@" >>"$private/log" 2>&1 9>&- &
	server=$!
	until PGCONNECT_TIMEOUT=3 "$bin/pg_isready" -q -h "$private" -p 5432; do
		is_running || { wait "$server" || :; server=; return 1; }
		sleep 0.1
	done
}

is_running() {
	read -r line 2>/dev/null <"/proc/$server/stat" || return 1
	case $line in
	*') Z '*) return 1 ;;
	esac
}

# What recovery must be given at least is in the control file.
set_limits() { # DATA
	"$bin/pg_controldata" -D "$1" | awk -F ':  *' '
		/^max_connections setting/ { print "max_connections = " $2 }
		/^max_worker_processes setting/ { print "max_worker_processes = " $2 }
		/^max_prepared_xacts setting/ { print "max_prepared_transactions = " $2 }
		/^max_locks_per_xact setting/ { print "max_locks_per_transaction = " $2 }' >"$private/postgresql.conf"
}

# Fast shutdown: nothing is waited for but that all is written.
stop_private() {
	[ -n "$server" ] || return 0
	kill -INT "$server" 2>/dev/null || :
	wait "$server" || :
	server=
}

ask_private() { # PSQL_ARGUMENT…
	PGHOST=$private PGPORT=5432 PGSSLMODE=disable psql -XAtqw -v ON_ERROR_STOP=1 "$@"
}

control() { # DATA LABEL: a line of pg_controldata
	"$bin/pg_controldata" -D "$1" | sed -n "s/^$2: *//p"
}
