#!/bin/sh
#
# worker.sh - does jobs: each file NAME.job in the folder $1 becomes NAME.done.
#
# Several may run at once: mv succeeds for one of them only.

set -u
cd "$1" || exit 1

stopping=
trap 'stopping=yes' TERM	# seen between two jobs

while [ -z "$stopping" ]; do
	for job in *.job; do
		if [ -n "$stopping" ] || [ ! -e "$job" ]; then
			continue
		fi
		mine="${job%.job}.$OSTLER_SLOT"
		mv "$job" "$mine" 2>/dev/null || continue
		tr '[:lower:]' '[:upper:]' <"$mine" >"${job%.job}.done"
		rm "$mine"
		echo "$job is done"
	done
	sleep 0.2
done
