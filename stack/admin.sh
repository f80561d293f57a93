# admin.sh - the password of the first admin, thought up before there is a database; part of start.

# Printed once, and kept where only whoever runs the stack can read it.  A database that is there
# already has its admin, or its operators make one: ostler-app user add.
think_up_admin_password() {
	[ ! -e "$VAR/admin-password" ] && [ ! -e "$VAR/postgres/data/PG_VERSION" ] || return 0
	# 120 bits, without letters that look alike.
	password=$(head -c 15 /dev/urandom | base32 | tr 'A-Z' 'a-z' | sed 's/....../&-/g; s/-$//')
	(umask 077 && printf '%s\n' "$password" >"$VAR/admin-password.new") &&
		mv -- "$VAR/admin-password.new" "$VAR/admin-password" ||
		fail "cannot write $VAR/admin-password"
	say "sign in as admin with the password $password; it is kept in $VAR/admin-password"
}
