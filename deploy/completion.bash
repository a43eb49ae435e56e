# bash completion of edgewatch(1). Commands and options come from the program's own help, so that this
# file does not need to know them.
_edgewatch_words() { # SECTION COMMAND...: first words of the lines of a section of a help text
    local section=$1
    shift
    edgewatch help "$@" 2>/dev/null | awk -v section="$section" '
        /^[a-z]/ { on = ($0 == section) }
        on && section == "commands" && /^  [a-z]/ { print $1 }
        on && section != "commands" && match($0, /--[a-z][a-z-]*/) && RSTART < 8 {
            print substr($0, RSTART, RLENGTH)
        }'
}

_edgewatch() {
    local cur prev words cword word command=
    _init_completion -n = || return
    local -r words_before=("${words[@]:1:cword-1}")
    for word in "${words_before[@]}"; do
        case $word in
        -*) ;;
        help) command=help ;;
        *) [ -z "$command" ] && edgewatch help "$word" >/dev/null 2>&1 && command=$word ;;
        esac
    done
    case $prev in
    --db | --config | --output | -o | --tls-key | --keylog) _filedir && return ;;
    --interface | -i) _available_interfaces -a && return ;;
    --format | -f)
        COMPREPLY=($(compgen -W "$(edgewatch help "$command" 2>/dev/null |
            sed -n 's/^ *-f, --format FORM *//p' | sed 's/(.*//; s/,//g; s/ or / /')" -- "$cur"))
        return
        ;;
    --verdict)
        COMPREPLY=($(compgen -W "refused timeout single-syn unreachable half-open retry-conflict
            reset-after-open open-no-check pseudotls-fail tls-fail alloc-fail not-tried unseen" -- "$cur"))
        return
        ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$(_edgewatch_words 'options of every command' $command)
            $([ -n "$command" ] && _edgewatch_words options "$command")" -- "$cur"))
    elif [ -z "$command" ] || [ "$command" = help ]; then
        COMPREPLY=($(compgen -W "help $(_edgewatch_words commands)" -- "$cur"))
    elif [[ $command == @(read|import) ]]; then
        _filedir
    fi
} && complete -F _edgewatch edgewatch
