# ostler-backup.bash - completion of ostler-backup(8) for bash(1); commands and copies come from ostler-backup itself.

_ostler_backup() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local ask=("${COMP_WORDS[0]}") name='' words='' i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c) ask+=(-c "${COMP_WORDS[++i]}") ;;
		*) name=${COMP_WORDS[i]}; break ;;
		esac
	done
	case $name in
	'') words="$("${ask[0]}" -h 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\).*/\1/p') -c" ;;
	restore) words="LATEST --to --timeline $("${ask[@]}" list 2>/dev/null | grep -Eo '^(base|dump)-[^ ]*')" ;;
	verify) words=$("${ask[@]}" list 2>/dev/null | grep -Eo '^(base|dump)-[^ ]*') ;;
	esac
	[[ $before == -c ]] && words=''
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	if [[ $before == -c || $name == restore ]]; then
		mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$word")
	fi
}

complete -F _ostler_backup ostler-backup
