# folders.sh - who owns what under VAR, and the configuration rendered into it; part of start
# and edge.

APP_USER=ostler
SERVICE_GROUP=ostler # may open the sockets of PostgreSQL and Redis

need_user() {
	id "$1" >/dev/null 2>&1 || fail "there is no user $1 here: run make deps"
}

choose_nginx_user() {
	NGINX_USER=''
	if root; then
		need_user www-data
		NGINX_USER='user www-data;'
	fi
	export NGINX_USER
}

# Whom nginx and the application run as.  The quotes are libconfig's, in whose files these end.
# shellcheck disable=SC2089,SC2090
choose_web_users() {
	RUN_AS_APP='' WEB_SOCKET_OWNER=''
	choose_nginx_user
	if root; then
		id "$APP_USER" >/dev/null 2>&1 || "$SHARE/stack/packages" # which makes that user
		RUN_AS_APP="user = \"$APP_USER\"; group = \"$SERVICE_GROUP\";"
		WEB_SOCKET_OWNER="listen_user = \"$APP_USER\"; listen_group = \"www-data\";"
	else
		APP_USER=$(id -un) || fail "user $(id -u) has no name; PostgreSQL needs one"
	fi
	export RUN_AS_APP WEB_SOCKET_OWNER APP_USER
}

# And PostgreSQL and Redis: in the application's group, so that their sockets belong to it.
# shellcheck disable=SC2089,SC2090
choose_data_users() {
	RUN_AS_POSTGRES='' RUN_AS_REDIS='' ADMIN_USER=$APP_USER
	if root; then
		need_user postgres
		need_user redis
		ADMIN_USER=postgres
		RUN_AS_POSTGRES="user = \"postgres\"; group = \"$SERVICE_GROUP\";"
		RUN_AS_REDIS="user = \"redis\"; group = \"$SERVICE_GROUP\";"
	fi
	export RUN_AS_POSTGRES RUN_AS_REDIS ADMIN_USER
}

folder() { # PATH MODE OWNER
	mkdir -p -- "$1" || fail "cannot make the folder $1"
	! root || chown -- "$3" "$1"
	chmod -- "$2" "$1" || fail "cannot use $1: it belongs to $(stat -c %U "$1"), and you are $(id -un)"
}

# In sock, the set-group-ID bit gives every socket the group, and the sticky bit keeps one service
# from putting itself in the place of another.
make_web_folders() {
	folder "$VAR" 0755 root
	folder "$VAR/etc" 0755 root
	folder "$VAR/etc/nginx" 0755 root
	folder "$VAR/log" 0750 root
	folder "$VAR/ctl" 0700 root
	folder "$VAR/sock" 3771 "root:$SERVICE_GROUP"
	folder "$VAR/nginx" 0755 root
}

make_data_folders() {
	folder "$VAR/postgres" 0700 postgres
	folder "$VAR/backup" 0700 postgres
	folder "$VAR/redis-cache" 0700 redis
	folder "$VAR/redis-stream" 0700 redis
	folder "$VAR/uploads" 0700 "$APP_USER"
	folder "$VAR/run" 0700 "$APP_USER"
	folder "$VAR/objects" 0750 "$APP_USER"
	folder "$VAR/keys" 0700 "$APP_USER"
	folder "$VAR/spool" 0700 "$APP_USER"
}

check_access() { # USER TEST PATH…
	user=$1 test=$2
	shift 2
	for path in "$@"; do
		setpriv --reuid="$user" --regid="$user" --clear-groups test "$test" "$path" ||
			fail "the user $user cannot use $path: every folder above it must let others enter (chmod o+x), or move it, for instance to /srv"
	done
}

# As root the services are other users, who may not be able to enter, say, /root.
check_reach() {
	root || return 0
	check_access postgres -x "$VAR" "$APP"
	check_access postgres -r "$SHARE/stack/initdb" "$SHARE/sql" "$SHARE/stack/roles.sql"
	check_access postgres -x "$SHARE/backup/ostler-backup"
	check_access redis -x "$VAR"
	check_access www-data -r "$SHARE/nginx/html/index.html"
	check_access "$APP_USER" -x "$VAR" "$APP"
}

render() { # TEMPLATE RESULT
	awk -f "$SHARE/stack/render.awk" "$1" >"$2.new" || fail "cannot render $1"
	mv -- "$2.new" "$2"
}

render_all() { # FOLDER TEMPLATE…
	to=$1
	shift
	for template; do
		name=${template##*/}
		render "$template" "$to/${name%.in}"
	done
}

render_configuration() {
	choose_nginx
	export HTML VAR SHARE PORT WORKERS JOBS CONSUMERS DEMO_SALES THREADS LOG_LEVEL INSTANCE_ID APP POSTGRES_BIN NGINX REDIS PSQL
	render_all "$VAR/etc" "$SHARE"/stack/*.in
	render_all "$VAR/etc/nginx" "$SHARE"/nginx/*.conf "$SHARE/nginx/nginx.conf.in"
}
