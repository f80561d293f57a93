# ostlerctl.bash - completion of ostlerctl(8) for bash(1); the words come from ostlerctl itself.

_ostlerctl_pools() {
	"$@" status --json 2>/dev/null | grep -o '"name":"[^"]*","kind"' | cut -d '"' -f 4
}

_ostlerctl_pids() {
	"$@" events --json 2>/dev/null | grep -o '"pid":[0-9]*' | cut -d : -f 2 | sort -un
}

_ostlerctl() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local ask=("${COMP_WORDS[0]}") name='' needs='' options='' words='' i

	COMPREPLY=()
	if [[ $before == -s || $before == -c || $before == check ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | -c) ask+=("${COMP_WORDS[i]}" "${COMP_WORDS[++i]}") ;;
		*) name=${COMP_WORDS[i]}; break ;;
		esac
	done
	if [[ -z $name ]]; then
		words="$("${ask[0]}" --commands 2>/dev/null | cut -f 1) -s -c"
	else
		IFS=$'\t' read -r needs options < <("${ask[0]}" --commands 2>/dev/null |
			sed -n "s/^$name\t\(.*\)\t/[\1]\t/p")
		words=$options
		# bash takes --wait=drained for three words.
		[[ $word == = ]] && word='' && before='='
		if [[ $before == = ]]; then
			for ((i = COMP_CWORD; i > 0; i--)); do
				[[ ${COMP_WORDS[i]} == --* ]] && break
			done
			words=$(tr ' ' '\n' <<<"$options" | sed -n "s/^${COMP_WORDS[i]}=//p")
			needs=''
		fi
		[[ $needs == *auto* ]] && words+=' auto'
		case $needs in
		*POOL*) words+=" $(_ostlerctl_pools "${ask[@]}")" ;;
		*PID*) words+=" $(_ostlerctl_pids "${ask[@]}")" ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _ostlerctl ostlerctl
