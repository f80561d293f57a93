# changelog.awk - makes debian/changelog out of CHANGELOG.md, so that no version is told twice.
#
# usage: awk -f debian/changelog.awk -v stamp=20260131.1200 -v date="Sat, 31 Jan 2026 12:00:00 +0000"
#            -v maintainer="Name <address>" CHANGELOG.md
#
# "## 1.2.3 (2026-01-31)" is a version that was released.  One that was not, "## 1.2.3 (not released
# yet)", sorts before its release and after every build before: 1.2.3~STAMP.  DATE is the newest's.

# One item, in lines of at most 80 characters.
function tell(text,   words, count, i, line) {
	count = split(text, words, " ")
	line = "  *"
	for (i = 1; i <= count; i++) {
		if (length(line) + 1 + length(words[i]) > 79) {
			print line
			line = "   "
		}
		line = line " " words[i]
	}
	print line
}

function end_item() {
	if (item != "")
		tell(item)
	item = ""
}

function end_version() {
	end_item()
	if (version != "")
		printf "\n -- %s  %s\n\n", maintainer, date
}

function midnight(day,   command, text) {
	command = "date -u -R -d " day
	command | getline text
	close(command)
	return text
}

/^## [0-9]/ {
	end_version()
	version = $2
	released = match($0, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]/)
	if (released)
		date = midnight(substr($0, RSTART, RLENGTH))
	printf "ostler (%s) %s; urgency=medium\n\n", released ? version : version "~" stamp, \
		released ? "unstable" : "UNRELEASED"
	next
}

/^\* / { end_item(); item = substr($0, 3); next }
/^  / && item != "" { item = item " " $0; next }
{ end_item() }

END { end_version() }
