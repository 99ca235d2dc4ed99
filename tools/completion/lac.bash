# bash completion for lac
_lac()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    local options=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "encode decode info verify eval bench help --help --version" -- "$cur"))
        return
    fi
    case $prev in
        -b|--bitrate) COMPREPLY=($(compgen -W "0.5 1 1.5 2 3 4 6" -- "$cur")); return ;;
        -r|--rate) COMPREPLY=($(compgen -W "8000 16000 24000 44100 48000" -- "$cur")); return ;;
        -t|--threads) COMPREPLY=($(compgen -W "1 2 4 8" -- "$cur")); return ;;
        --streams|--receivers) COMPREPLY=($(compgen -W "100 200 300" -- "$cur")); return ;;
        --start|--duration|--seconds) return ;;
        --raw)
            if [ "$command" = decode ]; then
                COMPREPLY=($(compgen -W "s16 s24 s32 f32" -- "$cur"))
            fi
            return ;;
    esac
    case $command in
        encode) options="--bitrate --model --threads --force --raw --help" ;;
        decode) options="--model --rate --threads --force --start --duration --raw --help" ;;
        info) options="--json --help" ;;
        verify) options="--help" ;;
        eval) options="--json --png --force --help" ;;
        bench) options="--json --bitrate --model --threads --streams --receivers --seconds --help" ;;
        help) COMPREPLY=($(compgen -W "encode decode info verify eval bench" -- "$cur")); return ;;
    esac
    case $cur in
        -*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
        *) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -o filenames -F _lac lac
