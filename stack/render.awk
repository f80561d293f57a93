# render.awk - copies a template with every @NAME@ replaced by the environment variable NAME.
# A value is taken as it is and never looked into again; an unknown name is an error.
{
	line = ""
	rest = $0
	while (match(rest, /@[A-Z_]+@/)) {
		name = substr(rest, RSTART + 1, RLENGTH - 2)
		if (!(name in ENVIRON)) {
			printf "%s:%d: no value for @%s@\n", FILENAME, FNR, name >"/dev/stderr"
			failed = 1
		}
		line = line substr(rest, 1, RSTART - 1) ENVIRON[name]
		rest = substr(rest, RSTART + RLENGTH)
	}
	print line rest
}

END { exit failed }
