# bash completion for lac
_lac()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
    local options= commands="encode decode info verify tokens factors compare plot recombine fit simulate synth eval bench send receive netsim latency"
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "$commands help --help --version" -- "$cur"))
        return
    fi
    if [ "$command" = recombine ]; then
        case $prev in
            --speaker) COMPREPLY=($(compgen -W sampled -- "$cur")) ;;
            --environment|--channel) COMPREPLY=($(compgen -W "neutral sampled" -- "$cur")) ;;
            --mix) compopt -o nospace; COMPREPLY=($(compgen -W "speaker= style= environment= channel=" -- "$cur")); return ;;
            --voice) compopt -o nospace; COMPREPLY=($(compgen -W "pitch= formants= age= accent=" -- "$cur")); return ;;
            --median|--pitch|--range|--rate|--energy|--noise|--largest-cosine|--audio-channel) return ;;
        esac
        case $prev in
            --speaker|--environment|--channel)
                mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur"); return ;;
        esac
    fi
    case $prev in
        -f|--format) [ "$command" != tokens ] || { COMPREPLY=($(compgen -W "npy jsonl bin" -- "$cur")); return; } ;;
        -j|--jobs|--channel) COMPREPLY=($(compgen -W "1 2 4 8" -- "$cur")); return ;;
        -b|--bitrate) COMPREPLY=($(compgen -W "0.5 1 1.5 2 3 4 6" -- "$cur")); return ;;
        -r|--rate|--sample-rate) COMPREPLY=($(compgen -W "8000 16000 24000 44100 48000" -- "$cur")); return ;;
        -t|--threads) COMPREPLY=($(compgen -W "1 2 4 8" -- "$cur")); return ;;
        --streams|--receivers) COMPREPLY=($(compgen -W "100 200 300" -- "$cur")); return ;;
        --to) mapfile -t COMPREPLY < <(compgen -A hostname -S : -- "$cur"); return ;;
        --coding) COMPREPLY=($(compgen -W "plain adaptive prior best" -- "$cur")); return ;;
        --beam) COMPREPLY=($(compgen -W "1 2 4 8 16" -- "$cur")); return ;;
        --kind) COMPREPLY=($(compgen -W "rvq vq" -- "$cur")); return ;;
        --frames) COMPREPLY=($(compgen -W "1 2 3 4" -- "$cur")); return ;;
        --clock) COMPREPLY=($(compgen -W "24000 48000" -- "$cur")); return ;;
        --start|--duration|--seconds|--name|--prior|--stages|--codewords|--port|--listen|--bind|--key|--ssrc|--seed|--speed|--loss|--delay|--snr|--babble-snr) return ;;
        --t60) COMPREPLY=($(compgen -W "0.2 0.4 0.8" -- "$cur")); return ;;
        --opus) COMPREPLY=($(compgen -W "6000 12000 24000" -- "$cur")); return ;;
        --opus-loss) COMPREPLY=($(compgen -W "0.05 0.1 0.2" -- "$cur")); return ;;
        --band) COMPREPLY=($(compgen -W "300:3400 50:7000" -- "$cur")); return ;;
        --microphone|--clip) COMPREPLY=($(compgen -W "3 6 12" -- "$cur")); return ;;
        --raw)
            if [ "$command" = decode ] || [ "$command" = receive ]; then
                COMPREPLY=($(compgen -W "s16 s24 s32 f32" -- "$cur"))
            fi
            return ;;
    esac
    case $command in
        encode) options="--bitrate --constant --model --threads --beam --coding --force --raw --help" ;;
        decode) options="--model --rate --threads --force --start --duration --raw --help" ;;
        info) options="--json --help" ;;
        verify) options="--help" ;;
        tokens) options="--format --output --model --bitrate --beam --bpe --samples --rate --size --codebook --tokens
            --force --json --help"
            if [ "$COMP_CWORD" -eq 2 ]; then
                COMPREPLY=($(compgen -W "export import bpe stats" -- "$cur"))
                return
            elif [ "$prev" = bpe ]; then
                COMPREPLY=(train)
                return
            fi ;;
        factors) options="--output --json --model --codec --channel --raw --jobs --resume --force --help" ;;
        compare) options="--json --model --codec --channel --raw --jobs --help" ;;
        plot) options="--output --map --start --duration --model --codec --channel --raw --jobs --force --help" ;;
        recombine) options="--output --content --speaker --style --environment --channel --mix --median --pitch --range
            --rate --energy --voice --largest-cosine --seed --noise --bitrate --sample-rate --lac --json --model --codec
            --audio-channel --raw --threads --force --help" ;;
        fit) options="--model --output --name --state --json --prior --fresh --kind --levels --stages --codewords --seed
            --threads --force --help" ;;
        simulate) options="--output --t60 --noise --snr --babble --babble-snr --microphone --band --clip --mulaw --opus
            --opus-loss --seed --raw --json --force --help" ;;
        synth) options="--input --output --shard --jobs --resume --dry-run --json --model --codec --merge --verify --report
            --help" ;;
        eval) options="--json --png --force --help" ;;
        bench) options="--json --bitrate --model --codec --threads --beam --streams --receivers --seconds --help"
            if [ "$COMP_CWORD" -eq 2 ] && [[ $cur != -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W factors -- "$cur"; compgen -f -- "$cur")
                return
            fi ;;
        send) options="--to --bitrate --codebooks --beam --model --frames --layer --redundancy --redundancy-packets --dtx
            --coded --payload-type --ssrc --seed --key --key-file --sdp --raw --live --loop --duration --speed --rtcp --json
            --every --help" ;;
        receive) options="--port --bind --model --min-delay --max-delay --late --no-wait --payload-type --key
            --key-file --once --idle --duration --speed --rtcp --raw --force --json --every --help" ;;
        netsim) options="--loss --burst --delay --jitter --reorder --duplicate --rate --queue --trace --write-trace
            --seed --clock --listen --bind --to --duration --idle --json --every --force --help" ;;
        latency) options="--json --bitrate --model --seconds --help" ;;
        help) COMPREPLY=($(compgen -W "$commands" -- "$cur")); return ;;
    esac
    case $cur in
        -*) COMPREPLY=($(compgen -W "$options" -- "$cur")) ;;
        *) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    esac
}
complete -o filenames -F _lac lac
