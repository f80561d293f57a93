# nginx.sh - what nginx is told besides paths: where it listens, by which certificate, whom it believes, and
# how much one address may ask; part of start, of edge, and of the example's start.
#
#   TLS              0: plain HTTP on PORT (start's preset); 1: and TLS on TLS_PORT; only: TLS there, and
#                    on PORT a redirect to it
#   TLS_PORT         PORT + 363, which is 443 for 80 and 8443 for 8080
#   CERTIFICATE      files (PEM) of a certificate, with those between it and its issuer, and of its key;
#   CERTIFICATE_KEY  unless told one that signs itself, made once in VAR/tls
#   ACME             the folder that /.well-known/acme-challenge/ on PORT comes from (VAR/acme)
#   HSTS             for how many seconds browsers shall ask by TLS alone; 0: no longer.  Two years
#                    (63072000) in edge, 0 in start, lest http://localhost be lost to other programs
#   TRUSTED_PROXIES  addresses and networks whose X-Forwarded-For is believed
#   INTERNAL         those that see /metrics, /nginx_status and all of /health, and are not counted below
#   RATE             requests a second of one address (100), and
#   BURST            how many beyond that at once (400)
#   SIGNIN_RATE      of those that try a password or code, or send a letter (5), and
#   SIGNIN_BURST     (20)
#   UPLOAD_RATE      of large files (2), and
#   UPLOAD_BURST     (10)
#   CONNECTIONS      requests of one address that may be under way (100)

preset_nginx() {
	: "${TLS:=0}" "${TLS_PORT:=$((PORT + 363))}" "${HSTS:=0}" "${CERTIFICATE:=}" "${CERTIFICATE_KEY:=}" "${ACME:=$VAR/acme}"
	: "${TRUSTED_PROXIES=127.0.0.1 ::1 unix:}" "${INTERNAL=127.0.0.1 ::1}"
	: "${RATE:=100}" "${BURST:=400}" "${SIGNIN_RATE:=5}" "${SIGNIN_BURST:=20}"
	: "${UPLOAD_RATE:=2}" "${UPLOAD_BURST:=10}" "${CONNECTIONS:=100}"
}

check_rates() {
	check_number RATE 1 1000000 "$RATE"
	check_number BURST 0 1000000 "$BURST"
	check_number SIGNIN_RATE 1 1000000 "$SIGNIN_RATE"
	check_number SIGNIN_BURST 0 1000000 "$SIGNIN_BURST"
	check_number UPLOAD_RATE 1 1000000 "$UPLOAD_RATE"
	check_number UPLOAD_BURST 0 1000000 "$UPLOAD_BURST"
	check_number CONNECTIONS 1 65535 "$CONNECTIONS"
}

check_certificate() {
	if [ -z "$CERTIFICATE$CERTIFICATE_KEY" ]; then
		command -v openssl >/dev/null || fail "openssl is not installed: run make deps"
		return
	fi
	for path in "$CERTIFICATE" "$CERTIFICATE_KEY"; do
		case $path in
		/*) check_path "$path" ;;
		*) fail "CERTIFICATE and CERTIFICATE_KEY must both be absolute paths, not \"$path\"" ;;
		esac
		[ -r "$path" ] || fail "cannot read $path"
	done
}

check_nginx() {
	case $TLS in 0 | 1 | only) ;; *) fail "TLS must be 0, 1 or only, not \"$TLS\"" ;; esac
	case $TRUSTED_PROXIES$INTERNAL in
	*[!A-Za-z0-9.:/\ -]*) fail "TRUSTED_PROXIES and INTERNAL hold addresses and networks separated by spaces, not \"$TRUSTED_PROXIES$INTERNAL\"" ;;
	esac
	check_path "$ACME"
	check_number HSTS 0 999999999 "$HSTS"
	check_rates
	[ "$TLS" != 0 ] || return 0
	check_number TLS_PORT 1 65535 "$TLS_PORT"
	check_certificate
}

# --- where ---

listen_lines() { # PORT WORDS
	for address in $LISTEN; do
		# A machine without IPv6 cannot bind its loopback address.
		[ "$address" != '[::1]' ] || grep -qs '^0\{31\}1 ' /proc/net/if_inet6 || continue
		printf 'listen %s:%s%s;\n' "$address" "$1" "$2"
	done
}

# A stack that only this machine can reach answers to this machine's names alone: otherwise a page
# on the web whose name is made to resolve to 127.0.0.1 could speak to it (DNS rebinding).
choose_hosts() {
	[ -n "$HOSTS" ] || case " $LISTEN " in
	' 127.0.0.1 ' | ' [::1] ' | ' 127.0.0.1 [::1] ' | ' [::1] 127.0.0.1 ')
		HOSTS='localhost *.localhost 127.0.0.1 [::1]' ;;
	*)
		HOSTS='~.' ;; # any
	esac
	first=${LISTEN%% *}
	case $first in
	0.0.0.0 | '*') first=127.0.0.1 ;;
	'[::]') first='[::1]' ;;
	esac
	NGINX_READY="$first:$PORT"
	export NGINX_READY HOSTS
}

choose_listeners() {
	NGINX_LISTEN_PLAIN=$(listen_lines "$PORT" '')
	NGINX_LISTEN=$NGINX_LISTEN_PLAIN
	NGINX_LISTEN_DEFAULT=$(listen_lines "$PORT" ' default_server')
	NGINX_TLS='' SITE=http://localhost:$PORT TLS_SUFFIX=''
	if [ "$TLS" != 0 ]; then
		NGINX_TLS='include tls.conf;'
		NGINX_LISTEN="$NGINX_LISTEN $(listen_lines "$TLS_PORT" ' ssl http2')"
		NGINX_LISTEN_DEFAULT="$NGINX_LISTEN_DEFAULT $(listen_lines "$TLS_PORT" ' ssl http2 default_server')"
		[ "$TLS_PORT" = 443 ] || TLS_SUFFIX=:$TLS_PORT
		SITE=https://localhost$TLS_SUFFIX
	fi
	if [ "$TLS" = only ]; then
		NGINX_LISTEN=$(listen_lines "$TLS_PORT" ' ssl http2')
		NGINX_TLS="$NGINX_TLS include redirect.conf;"
	fi
	export NGINX_LISTEN NGINX_LISTEN_PLAIN NGINX_LISTEN_DEFAULT NGINX_TLS SITE TLS_SUFFIX
}

# --- by which certificate ---

# What HOSTS names, as a certificate says it (RFC 5280, 4.2.1.6); a pattern of nginx's is no name, and
# no browser takes "*.localhost", a star below a single label.
alternative_names() {
	names='DNS:localhost,IP:127.0.0.1,IP:::1'
	set -f # a "*" is no pattern here
	for host in $HOSTS; do
		case $host in
		*[!A-Za-z0-9.*-]* | localhost | '*.localhost' | 127.0.0.1) ;;
		*[!0-9.]*) names="$names,DNS:$host" ;;
		*) names="$names,IP:$host" ;;
		esac
	done
	set +f
	echo "$names"
}

# Browsers take none for longer than 398 days.  It may sign nothing but itself, so that who tells a
# browser to trust it trusts nobody else who gets its key.
make_certificate() {
	folder "$VAR/tls" 0700 root
	[ -z "$CERTIFICATE" ] || return 0
	CERTIFICATE=$VAR/tls/certificate.pem CERTIFICATE_KEY=$VAR/tls/key.pem
	! openssl x509 -noout -checkend 86400 -in "$CERTIFICATE" >/dev/null 2>&1 || [ ! -r "$CERTIFICATE_KEY" ] || return 0
	(
		umask 077
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 397 -subj /CN=localhost \
			-addext "subjectAltName=$(alternative_names)" -addext basicConstraints=critical,CA:FALSE \
			-addext extendedKeyUsage=serverAuth -keyout "$CERTIFICATE_KEY.new" -out "$CERTIFICATE.new" \
			2>"$VAR/tls/errors" && mv -- "$CERTIFICATE_KEY.new" "$CERTIFICATE_KEY" && mv -- "$CERTIFICATE.new" "$CERTIFICATE"
	) || fail "openssl could not make a certificate: $(cat "$VAR/tls/errors")"
	rm -f -- "$VAR/tls/errors"
	say "made a certificate that signs itself, $CERTIFICATE: browsers will ask whether to trust it"
}

# --- for whom ---

choose_networks() {
	REAL_IP_FROM='' INTERNAL_NETWORKS=''
	for network in $TRUSTED_PROXIES; do REAL_IP_FROM="${REAL_IP_FROM}set_real_ip_from $network; "; done
	for network in $INTERNAL; do INTERNAL_NETWORKS="$INTERNAL_NETWORKS$network 1; "; done
	export REAL_IP_FROM INTERNAL_NETWORKS RATE BURST SIGNIN_RATE SIGNIN_BURST UPLOAD_RATE UPLOAD_BURST CONNECTIONS HSTS
}

# The same origins in two languages: nginx's map, and the application's list.
choose_origins() {
	CORS_MAP='' CORS_LIST='' CORS_DEFAULT='' CORS_VARY='' CORS_CREDENTIALS_VALUE=''
	set -f # a "*" is no pattern here
	for origin in ${CORS_ORIGINS:-}; do
		CORS_VARY=Origin
		CORS_LIST="$CORS_LIST${CORS_LIST:+, }\"$origin\""
		if [ "$origin" = '*' ]; then CORS_DEFAULT='*'; else CORS_MAP="$CORS_MAP\"$origin\" \"$origin\"; "; fi
	done
	set +f
	CORS_CREDENTIALS=${CORS_CREDENTIALS:-false}
	[ "$CORS_CREDENTIALS" = false ] || CORS_CREDENTIALS_VALUE=true
	export CORS_MAP CORS_LIST CORS_DEFAULT CORS_VARY CORS_CREDENTIALS CORS_CREDENTIALS_VALUE
}

# All of it, for the templates.
choose_nginx() {
	choose_hosts
	choose_listeners
	[ "$TLS" = 0 ] || make_certificate
	choose_networks
	choose_origins
	[ "$TLS" != only ] || mkdir -p -- "$ACME/.well-known/acme-challenge" || fail "cannot make the folder $ACME"
	export CERTIFICATE CERTIFICATE_KEY ACME
}
