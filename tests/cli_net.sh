#!/usr/bin/env bash
# lac send, receive, netsim and latency from outside: cli_net.sh LAC CLITOOL NETTOOL MODEL. Prints TAP. Works in a
# folder of its own; ports are those that the system gives.
lac=$(realpath "$1") tool=$(realpath "$2") net=$(realpath "$3") model=$(realpath "$4")
. "$(dirname "$0")/tap.sh"
unset LAC_MODEL_PATH
speed=2 # times real time; a delay of 2 s is 1 s that a busy machine may take
steady="--speed $speed --min-delay 2000 --max-delay 2000"
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d
other=100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d

above() { [ "${2:-0}" -gt "$3" ]; result $? "$1" "got '$2', not above $3"; }
# value KEY [FILE]: the last one of that name
value() { grep -o "\"$1\":[^,}]*" "${2:-rows}" | tail -n 1 | sed 's/.*:[[:space:]]*//; s/"//g'; }

# listen ARGUMENT...: lac receive in the background, its port in `port`; finish waits for it: exit status in
# `ended`, its lines of JSON in `rows`. In the foreground timeout passes on an interrupt once, else twice: the second
# one ends a command that is ending
listen()
{
    rm -f receive.fifo && mkfifo receive.fifo
    timeout --foreground 120 "$lac" receive -m "$model" --port 0 --bind 127.0.0.1 --every 3600 "$@" \
        >receive.fifo 2>receive.err &
    receiver=$!
    exec 3<receive.fifo
    read -r line <&3
    port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' <<<"$line")
}
finish()
{
    cat <&3 >rows
    exec 3<&-
    wait "$receiver"
    ended=$?
    cp receive.err err
}

# between ARGUMENT...: lac netsim between sender and `port`; `port` is its own then
between()
{
    rm -f netsim.fifo && mkfifo netsim.fifo
    timeout --foreground 120 "$lac" netsim --listen 0 --bind 127.0.0.1 --to 127.0.0.1:$port --every 3600 "$@" \
        >netsim.fifo &
    network=$!
    exec 4<netsim.fifo
    read -r line <&4
    port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' <<<"$line")
}
leave()
{
    kill -INT "$network"
    cat <&4 >netsim.rows
    exec 4<&-
    wait "$network"
    is "netsim ends by an interrupt" $? 0
}
send() { timeout 60 "$lac" send -m "$model" --to "127.0.0.1:$port" --speed $speed "$@" >sent 2>err </dev/null; }

# heard NAME PACKETS: all of a stream came, none was concealed, and, unless the receiver had to follow the clock of
# a busy machine, its sound is want.s16 somewhere in got.s16 (nearly: a file's pages round the phase of the pulses)
heard()
{
    is "$1: ends with the sender" "$ended" 0
    is "$1: packets" "$(value packets)" "$2"
    is "$1: lost, late, malformed, refused" "$(value lost) $(value late) $(value malformed) $(value refused)" \
        "0 0 0 0"
    is "$1: concealed frames" "$(value concealed_frames)" 0
    if [ "$(value stretched_samples) $(value compressed_samples)" = "0 0" ]; then
        [ "$("$net" find got.s16 want.s16 100)" -ge 0 ]; result $? "$1: the sound of lac decode" "not found"
    else
        skip "$1: the sound of lac decode" "the clock was followed"
    fi
}

"$tool" wav a.wav speech 24000 1 30000
"$tool" raw speech 24000 1 30000 s16 >a.s16
"$lac" encode --beam 4 -m "$model" a.wav a.lac && "$lac" decode -m "$model" --raw s16 a.lac want.s16
frames=$("$lac" info --json a.lac | tee info | grep -o '"frames":[^,]*' | sed 's/.*:[[:space:]]*//')

# ---- one stream by every road
listen --once $steady --raw s16 -f got.s16; send a.wav --json --sdp a.sdp --seed 5; finish
heard "plain" "$frames"
is "the sender says as much" "$(value packets sent)" "$frames"
for k in seconds packets comfort_packets payload_bytes bytes kbps ssrc reports loss_percent; do
    grep -q "\"$k\":" sent; result $? "send's report has $k"
done
for k in sources kbps jitter_ms recovered_frames comfort_frames delay_ms target_delay_ms buffered_ms restarts; do
    grep -q "\"$k\":" rows; result $? "receive's report has $k"
done
tr -d '\r' <a.sdp >sdp
grep -q '^a=rtpmap:96 lac/24000$' sdp; result $? "SDP names the format"
grep -q "^a=fmtp:96 model=[0-9a-f]\{32\}; token-bits=[0-9]*; frame=480; codebooks=" sdp
result $? "SDP has parameters"
grep -q "^m=audio $port RTP/AVP 96\$" sdp; result $? "SDP has the port"

listen --once $steady --raw s16 -f got.s16 --payload-type 100
cat a.s16 | timeout 60 "$lac" send -m "$model" --to "localhost:$port" --speed $speed --raw 24000:1:s16 --frames 3 \
    --payload-type 100 - 2>err
is "raw samples through a pipe" $? 0; finish
heard "three frames a packet" $(((frames + 2) / 3))

send a.wav --coded; is "--coded of a model without a prior" $? 2
plain=$model model=$(dirname "$model")/tiny_prior.lacm
listen --once $steady --raw s16 -f got.s16; send a.wav --coded --frames 10 --sdp a.sdp; finish
heard "coded by a prior" $(((frames + 9) / 10))
grep -q '; prior=[0-9a-f]\{32\}' a.sdp; result $? "SDP names the prior"
model=$plain

listen --once $steady --raw s16 --key $key -f got.s16; send a.wav --key $key --sdp a.sdp; finish
heard "SRTP" "$frames"
grep -q 'RTP/SAVP' a.sdp && grep -q '^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAECAwQF' a.sdp
result $? "SDP has the key"
echo $key >key.txt; listen --once $steady --raw s16 --key-file key.txt -f got.s16
send a.wav --key-file key.txt --redundancy 20 --redundancy-packets 3 --layer 1; finish
heard "SRTP by key file, with redundancy" "$frames"
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6; then
    listen --once $steady --raw s16 -f got.s16 --bind ::1
    timeout 60 "$lac" send -m "$model" a.wav --to "[::1]:$port" --speed $speed 2>err; finish
    heard "IPv6" "$frames"
else
    skip "IPv6" "no ::1"
fi

# WAV by ending, and sound on standard output, where the rows go to standard error
listen --once $steady -f got.wav; send a.wav; finish
is "a WAV file" "$("$tool" header got.wav | cut -d ' ' -f 1-3)" "1 24000 16"
rm -f rows.fifo && mkfifo rows.fifo
timeout 120 "$lac" receive -m "$model" --port 0 --bind 127.0.0.1 --every 3600 --once $steady --raw s16 - >got.s16 \
    2>rows.fifo & receiver=$!
exec 3<rows.fifo; read -r line <&3; port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' <<<"$line")
send a.wav; finish
heard "standard output" "$frames"

# ---- keys and payload types that do not fit
idle="--once --speed $speed --idle 5 -f"
listen $idle --key $other bad.wav; send a.wav --key $key; finish
is "another key" "$ended" 1; says "that the key does not fit" "none of which fits the key"
listen $idle bad.wav; send a.wav --key $key; finish
is "no key for SRTP" "$ended" 1; says "that it is not Lac" "of them Lac's"
listen $idle bad.wav
timeout 60 "$net" garble $port >garble.rows & garble=$!
while kill -0 $garble && [ ! -s garble.rows ]; do sleep 0.05; done
port=$(head -n 1 garble.rows); send a.wav; finish; kill $garble
is "SRTP whose first packet happens to look like Lac's" "$ended" 1; says "that hardly any is" "hardly any of them Lac's"
listen $idle --key $key bad.wav; send a.wav; finish
is "a key for plain RTP" "$ended" 1
listen $idle bad.wav; send a.wav --payload-type 97; finish
is "another payload type" "$ended" 1
listen $idle bad.wav; finish
is "nothing at all" "$ended" 1; says "that" "no packet came"
[ ! -e bad.wav ]; result $? "nothing is left of it"

# ---- streams one after another; an interrupt
listen --speed $speed -f got.wav; send a.wav --ssrc 1; send a.wav --ssrc 2
kill -INT "$receiver"; finish
is "an interrupt completes the file" "$ended" 0
is "a new source is followed after BYE" "$(value sources)" 2
is "the last one" "$(value ssrc)" 2
above "its samples" "$("$tool" header got.wav | cut -d ' ' -f 4)" 1000

# ---- silence
{ cat a.s16; head -c 240000 /dev/zero; cat a.s16; } >pause.s16
listen --once $steady --raw s16 -f got.s16; send --raw 24000:1:s16 pause.s16 --dtx --json; finish
is "DTX: ends with the sender" "$ended" 0
above "DTX: packets of comfort noise" "$(value comfort_packets sent)" 0
above "DTX: frames of comfort noise" "$(value comfort_frames)" 50
[ "$(value packets sent)" -lt 300 ]; result $? "DTX: fewer packets than frames" "$(value packets sent)"

# ---- a bad network
for i in 1 2; do
    listen --once $steady --raw s16 -f got.s16
    between --loss 20 --burst 60 --seed 7 --delay 30 --jitter 5 --duplicate 5 --reorder 5 --write-trace trace$i
    send a.wav --loop --duration 4 --redundancy 40 --redundancy-packets 4; finish; leave
    is "a lossy stream ends" "$ended" 0
    value lost netsim.rows >lost$i; value duplicated netsim.rows >>lost$i
    above "losses" "$(value lost netsim.rows)" 10
    above "redundancy recovers" "$(value recovered_frames)" 10
done
same "the same seed, the same trace" trace1 trace2
seconds=$(awk 'END { print NR / 50 }' trace1)
"$lac" netsim --loss 20 --burst 60 --seed 7 --duration "$seconds" --write-trace trace3 >out
same "a trace without a stream" trace1 trace3
"$lac" netsim --loss 20 --burst 60 --seed 8 --duration 4 --write-trace trace4 >out
cmp -s trace1 trace4; is "another seed, another trace" $? 1

# ---- captures
if "$lac" netsim none.pcap out.pcap 2>&1 | grep -q "built without"; then
    skip "captures" "no libpcap"
else
    "$net" capture in.pcap 500
    run 0 "a capture" "$lac" netsim in.pcap out.pcap --json
    same "without impairments it stays" in.pcap out.pcap
    is "packets" "$(value packets out)" 500
    run 0 "a capture with losses" \
        "$lac" netsim -f --loss 30 --burst 60 --delay 50 --write-trace trace in.pcap out.pcap
    awk '$1 == 0 { n = NR - 1; print (65000 + n) % 65536, 20000 * n + 50000 }' trace >want
    first=$(awk '$1 == 0 { print 20000 * (NR - 1) + 50000; exit }' trace)
    "$net" list out.pcap | awk -v first="$first" '{ print $1, $2 + first }' >got
    same "what the trace leaves arrives, later" want got
    { echo "# $(printf '%300s' 1)"; cat trace; } >long && mv long trace
    run 0 "a recorded trace" "$lac" netsim -f --trace trace --delay 50 in.pcap again.pcap
    same "does the same" out.pcap again.pcap
    run 0 "reordering" "$lac" netsim -f --reorder 10 --duplicate 10 --jitter 10 in.pcap out.pcap
    "$net" list out.pcap | awk '$2 < last { bad = 1 } { last = $2; n++ } END { exit bad || n < 530 || n > 570 }'
    result $? "keeps the times in order, and has more packets"
    run 1 "an output that exists" "$lac" netsim in.pcap out.pcap; says "that" "exists"
    (trap '' XFSZ; ulimit -f 8; "$lac" netsim in.pcap full.pcap >out 2>err); is "an output that does not fit" $? 1
    [ ! -e full.pcap ]; result $? "nothing is left of it"
    run 1 "no capture" "$lac" netsim -f a.wav out.pcap
    head -c 1000 in.pcap >cut.pcap; run 1 "a capture that is cut off" "$lac" netsim -f cut.pcap cut2.pcap
    [ ! -e cut2.pcap ]; result $? "nothing is left of it"
fi

# ---- hostile datagrams
listen --once --speed $speed --idle 20 -f got.wav
"$net" hostile "$port" 1 20000 77; kill -INT "$receiver"; finish
[ "$ended" -le 1 ]; result $? "hostile datagrams" "exit $ended"
listen --once $steady -f got.wav
"$net" hostile "$port" 2 20000 0 & flood=$!
send a.wav --seed 3; wait $flood; send a.wav --seed 3; finish
is "hostile datagrams beside a stream" "$ended" 0
above "are refused" "$(value refused)" 100
listen --once $steady --key $key -f got.wav
"$net" hostile "$port" 3 20000 0; send a.wav --key $key; finish
is "hostile datagrams before SRTP" "$ended" 0
above "fit no key" "$(value unauthentic)" 100
is "and take nothing from the stream" "$(value sources) $(value packets)" "1 $frames"

# ---- a mirror: what comes back are no reports of a receiver. Where numbers start, SRTP survives that the first
# packets are lost (RFC 3711, 3.3.1); a key that stands in a session description is nobody else's to read
timeout 60 "$net" mirror >mirror.rows & mirror=$!
while kill -0 $mirror && [ ! -s mirror.rows ]; do sleep 0.05; done
port=$(head -n 1 mirror.rows) senders=
for i in 1 2 3 4 5 6 7 8; do
    timeout 60 "$lac" send -m "$model" a.wav --to "127.0.0.1:$port" --key $key --duration 0.04 --json \
        --sdp mirror.sdp >sent$i 2>&1 & senders="$senders $!"
done
wait $senders; kill $mirror
is "a sender's own reports, sent back" "$(value reports sent1) $(value reports sent8)" "0 0"
awk 'NR > 1 && $1 >= 32768 { bad = 1 } END { exit bad || NR < 17 }' mirror.rows
result $? "SRTP's numbers start in the lower half" "$(tr '\n' ' ' <mirror.rows)"
is "who may read a key, in a new file and an old one" "$(ls -l mirror.sdp a.sdp | cut -c 1-10 | uniq)" "-rw-------"

# ---- more open files than select() could tell apart
if (ulimit -n 2048) 2>/dev/null; then
    (ulimit -n 2048; for i in $(seq 10 1100); do eval "exec $i</dev/null"; done
     timeout 60 "$lac" send -m "$model" a.wav --to 127.0.0.1:9 --speed 50) >out 2>err
    is "many open files" $? 0
else
    skip "many open files" "not allowed here"
fi

# ---- what cannot work
run 1 "missing file" "$lac" send -m "$model" none.wav --to 127.0.0.1:5004; says "the file" "none.wav: No such file"
run 1 "no audio" "$lac" send -m "$model" trace1 --to 127.0.0.1:5004; says "the file" "trace1"
for to in nowhere 127.0.0.1 127.0.0.1: 127.0.0.1:0 127.0.0.1:65536 127.0.0.1:x ::1:5004 :5004; do
    run 2 "--to $to" "$lac" send a.wav --to $to
done
run 1 "no such host" "$lac" send -m "$model" a.wav --to no.such.host.invalid:5004
run 2 "send to nobody" "$lac" send a.wav
run 1 "no such model" "$lac" send -m nosuchmodel a.wav --to 127.0.0.1:5004
run 1 "a model that is none" "$lac" receive -m a.wav --port 0 bad.wav; says "that" "a.wav: is not a model"
for o in "--key 00" "--key $key$key" "--key ${key/0/x}" "--frames 11" "--frames 0" "--layer 9" "--codebooks 99" \
         "--payload-type 95" "--payload-type 128" "--speed 0" "-b 0.77" "--redundancy-packets 5" "--ssrc -1" \
         "--loop -" "--live" "--key $key --ssrc 1" "--key $key --seed 1" "-b 1 --codebooks 1" "b.wav"; do
    run 2 "send $o" "$lac" send -m "$model" a.wav --to 127.0.0.1:5004 $o
done
run 1 "no such key file" "$lac" send a.wav --to 127.0.0.1:5004 --key-file none
run 1 "a key file without a key" "$lac" receive --port 0 --key-file trace1 bad.wav; says "that" "holds no key"
for o in "--port x" "--port 65536" "--port 0 --min-delay 600" "--port 0 --max-delay 3000" "--port 0 --late 501" \
         "--port 0 --key 1" "--port 0 --raw u8" "--port 0 c.wav" ""; do
    run 2 "receive $o" "$lac" receive $o bad.wav
done
run 2 "an ending that is no format" "$lac" receive --port 0 bad.xyz
run 1 "an output that exists" "$lac" receive -m "$model" --port 0 a.wav; says "that" "exists"
run 1 "an address of others" "$lac" receive -m "$model" --port 0 --bind 192.0.2.1 bad.wav
mkdir live && listen --idle 60 -f live/got.wav # what it writes is no file left behind by the next
run 1 "a port in use" "$lac" receive -m "$model" --port "$port" --bind 127.0.0.1 bad.wav; says "that" "port $port: "
run 1 "a port in use, netsim" "$lac" netsim --listen "$port" --bind 127.0.0.1 --to 127.0.0.1:5004
kill -INT "$receiver"; finish
for o in "" "--loss 101" "--loss 90 --burst 20 --write-trace x --duration 1" "--burst 19" "--delay -1" "--rate 0" \
         "--listen 0" "--write-trace x" "in.pcap" "--listen 0 --to 127.0.0.1:1 a b" "--loss 1 --trace x in out" \
         "--write-trace x --duration 1e9"; do
    run 2 "netsim $o" "$lac" netsim $o
done
printf '0\n1\n2\n' >wrong; run 1 "a wrong trace" "$lac" netsim --trace wrong --write-trace x --duration 1
says "the row" "wrong: row 3"

# ---- latency
run 0 "lac latency --help" "$lac" latency --help
run 0 "latency" "$lac" latency --json --seconds 2 -m "$model"
for k in frame packet coding network block buffer decoder playout sum measured; do
    is "latency has $k three times" "$(grep -c "\"${k}_ms\":" out)" 3
done
run 2 "latency of what" "$lac" latency a.wav

echo "1..$count"
[ "$bad" -eq 0 ]
