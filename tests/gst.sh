#!/usr/bin/env bash
# The GStreamer elements from outside: gst.sh PLUGIN_FOLDER GSTTOOL GSTCALL CLITOOL. Prints TAP.
plugins=$(realpath "$1") tool=$(realpath "$2") caller=$(realpath "$3") clitool=$(realpath "$4")
tiny=$(realpath "$(dirname "$0")/../vectors/tiny.lacm")
for program in gst-inspect-1.0 gst-launch-1.0; do
    command -v $program >/dev/null || { echo "SKIP: no $program"; exit 77; }
done
. "$(dirname "$0")/tap.sh"
export GST_REGISTRY=$work/registry GST_REGISTRY_FORK=no G_DEBUG=fatal-warnings
for element in wavparse audioconvert decodebin udpsrc rtpjitterbuffer rtpbin; do
    gst-inspect-1.0 $element >/dev/null 2>&1 || { echo "SKIP: no GStreamer element $element"; exit 77; }
done
# Under sanitizers: GLib and the libraries of other plugins keep what they allocate as they are loaded.
printf 'leak:%s\n' call_init libfontconfig gst_update_registry >leaks
export ASAN_OPTIONS=fast_unwind_on_malloc=0:$ASAN_OPTIONS LSAN_OPTIONS=suppressions=$work/leaks:print_suppressions=0
webrtc=
for element in webrtcbin nicesrc dtlssrtpdec srtpdec; do
    gst-inspect-1.0 $element >/dev/null 2>&1 || webrtc="no GStreamer element $element"
done
[ -n "$(hostname -I 2>/dev/null)" ] || webrtc=${webrtc:-"no network interface"}
export GST_PLUGIN_PATH=$plugins GST_REGISTRY=$work/registry.lac

# is NAME GOT WANTED
is() { [ "$2" = "$3" ]; result $? "$1" "got '$2', not '$3'"; }
# number KEY [FILE]: from gsttool's output
number() { sed -n "s/.*\b$1=\((guint64)\)\{0,1\}\(-\{0,1\}[0-9]*\).*/\2/p" "${2-out}" | head -n 1; }
# play STATUS NAME COMMAND...: output in `out` and `err`
play()
{
    local wanted=$1 name=$2
    shift 2
    timeout 60 "$@" >out 2>err </dev/null
    is "$name" $? "$wanted"
}
# has NAME KEY NUMBER ...: what gsttool told
has()
{
    local name=$1 got= wanted= file=${file-out}
    shift
    while [ $# -gt 0 ]; do
        got+="$1=$(number "$1" "$file") " wanted+="$1=$2 "
        shift 2
    done
    is "$name" "$got" "$wanted"
}

# ---- what gst-inspect-1.0 tells; being without sanitizers, it can't load what has them
if ! grep -q __asan_init "$plugins/libgstlac.so"; then
    gst-inspect-1.0 lac >inspect; result $? "gst-inspect-1.0 lac"
    for element in lacenc lacdec rtplacpay rtplacdepay; do
        grep -q "^  $element:" inspect; result $? "the plugin has $element"
        gst-inspect-1.0 $element >inspect-$element; result $? "gst-inspect-1.0 $element"
        grep -q 'Rank  *primary' inspect-$element; result $? "$element is found by decodebin and its like"
    done
    for property in model bitrate codebooks beam frames-per-packet layer redundancy redundancy-packets dtx coded; do
        grep -q "^  $property  *: [A-Z]" inspect-lacenc; result $? "lacenc has $property"
    done
    for property in model hold stats; do
        grep -q "^  $property  *: [A-Z]" inspect-lacdec; result $? "lacdec has $property"
    done
fi

# ---- without a network: the library's own bits
n=48001 frames=101
all=$((frames * 480 - 240)) # what decoding gives where nothing tells the stream's length
"$clitool" wav in.wav speech 24000 1 $n
source="filesrc location=in.wav ! wavparse ! audioconvert"
play 0 "raw samples" "$tool" run $source ! audio/x-raw,format=F32LE ! filesink location=in.raw name=out
"$tool" reference 6 in.raw wanted.raw; result $? "the library alone"
play 0 "lacenc ! lacdec" "$tool" run $source ! lacenc ! lacdec ! filesink location=got.raw name=out
cmp got.raw wanted.raw; result $? "lacenc ! lacdec gives the library's bits"
has "its length, timestamps and latency" samples $n breaks 0 first 0 received $frames concealed 0 latency 30
play 0 "from F32LE" "$tool" run $source ! audio/x-raw,format=F32LE ! lacenc bitrate=3000 ! lacdec ! \
    filesink location=got.raw name=out
cmp got.raw wanted.raw; result $? "the same bits from floats"
play 0 "RTP without a network" "$tool" run $source ! lacenc frames-per-packet=3 ! rtplacpay ! rtplacdepay ! \
    lacdec ! filesink location=got.raw name=out
cmp -n $((4 * n)) got.raw wanted.raw; result $? "the same bits from RTP packets of 3 frames"
has "their length" samples $all breaks 0 received $frames
"$tool" reference 12 in.raw wanted.raw
play 0 "decodebin" "$tool" run $source ! lacenc ! rtplacpay ! decodebin ! fakesink name=out
has "decodebin finds the depayloader and the decoder" samples $all received $frames
play 0 "all codebooks" "$tool" run $source ! lacenc codebooks=32 ! lacdec ! filesink location=got.raw name=out
cmp got.raw wanted.raw; result $? "the library's bits with all codebooks"

# ---- payloads
play 0 "payloads" "$tool" run $source ! lacenc frames-per-packet=2 bitrate=1500 ! fakesink name=out
grep -q 'caps=audio/x-lac, rate=(int)24000, channels=(int)1, model=(string)[0-9a-f]\{32\}, token-bits=(int)10' out
result $? "caps of payloads"
has "no breaks between payloads" breaks 0 first 0 latency 40
play 0 "bit rate while it plays" "$tool" rate $source ! audio/x-raw ! lacenc name=enc ! fakesink name=out
grep -q 'bytes=4-20' out; result $? "payloads grow with the bit rate" "$(cat out)"
play 0 "a smaller MTU" "$tool" run $source ! lacenc bitrate=6000 layer=2 ! rtplacpay mtu=28 ! fakesink name=out
grep -q 'bytes=2[0-8]-2[0-8]' out; result $? "upper layers are cut" "$(cat out)"
play 1 "an MTU too small for one layer" "$tool" run $source ! lacenc bitrate=6000 layer=8 frames-per-packet=10 ! \
    rtplacpay mtu=28 ! fakesink name=out
grep -q "can't be cut to the MTU" err; result $? "says so"

# ---- states, seeks, ends
play 0 "states up and down" "$tool" cycle $source ! lacenc ! rtplacpay ! rtplacdepay ! lacdec ! fakesink name=out
has "after them" samples $all breaks 0 received $frames
play 0 "a flushing seek" "$tool" seek $source ! lacenc ! lacdec ! fakesink name=out
has "after it" samples $((n - 12000)) breaks 0 first 500 concealed 0
raw="audio/x-raw,format=F32LE,rate=24000,channels=1,layout=interleaved"
play 0 "the end without data" "$tool" run fakesrc num-buffers=0 ! $raw ! lacenc ! lacdec ! fakesink name=out
play 0 "a few samples" "$tool" run audiotestsrc num-buffers=1 samplesperbuffer=7 ! lacenc ! lacdec ! \
    fakesink name=out
has "a few samples" samples 7 frames 1

# ---- silence
quiet="audiotestsrc wave=silence num-buffers=100 samplesperbuffer=480"
play 0 "DTX" "$tool" run $quiet ! lacenc dtx=true ! lacdec ! fakesink name=out
has "comfort noise" samples 48000 breaks 0 comfort 101 concealed 0
play 0 "DTX over RTP" "$tool" run $quiet ! lacenc dtx=true frames-per-packet=2 ! rtplacpay ! rtplacdepay ! \
    lacdec ! fakesink name=out
has "comfort noise over RTP" breaks 0 concealed 0 received 0
[ "$(number comfort)" -gt 80 ]; result $? "most of it"
play 0 "payloads of silence" "$tool" run $quiet ! lacenc dtx=true ! fakesink name=out
[ "$(number breaks)" -gt 3 ]; result $? "silence is not sent"

# ---- losses
lossy="lacenc redundancy=40 ! rtplacpay ! identity name=net ! rtplacdepay"
play 0 "losses" "$tool" lose $source ! $lossy ! lacdec ! fakesink name=out
has "duration kept, redundancy of the next packet used" samples $all breaks 0 concealed 0 recovered 26 received 75
play 0 "losses without redundancy" "$tool" lose $source ! lacenc ! rtplacpay ! identity name=net ! rtplacdepay ! \
    lacdec ! fakesink name=out
has "duration kept, concealed" samples $all breaks 0 concealed 26 recovered 0 received 75
play 0 "events that tell of longer gaps" "$tool" guess $source ! $lossy ! lacdec ! fakesink name=out
has "duration kept, concealed at once" samples $all breaks 0 concealed 26 received 75 late 0

play 0 "an outage of six seconds" "$tool" outage audiotestsrc num-buffers=500 samplesperbuffer=480 ! lacenc ! \
    rtplacpay ! identity name=net ! rtplacdepay ! lacdec ! fakesink name=out
has "duration kept, concealed" samples 240240 breaks 0 concealed 300 received 201

# ---- over UDP, through the jitter buffer
play 0 "RTP caps" "$tool" run $source ! lacenc ! rtplacpay ! fakesink name=out
model=$(sed -n 's/^caps=.*model=(string)\([0-9a-f]*\).*/\1/p' out)
rtp="application/x-rtp,media=audio,clock-rate=24000,encoding-name=LAC"
parameters="payload=96,model=(string)$model,token-bits=(string)10,frame=(string)480"

# free_ports: four of them in a row from $port on
free_ports()
{
    local i
    while port=$((20000 + RANDOM)); do
        for i in 0 1 2 3; do
            grep -qi "$(printf ':%04X ' $((port + i)))" /proc/net/udp && continue 2
        done
        return
    done
}

# call NAME HOW PACKETS SENDER RECEIVER...: output in NAME. Real time, so calls go on beside each other.
call()
{
    local name=$1 how=$2 packets=$3 sender=$4
    shift 4
    free_ports
    timeout 60 "$tool" "$how" udpsrc port=$port num-buffers=$packets caps="$rtp,$parameters" ! identity name=net ! \
        rtpjitterbuffer latency=200 "$@" ! fakesink name=out >"$name" 2>"$name.err" &
    while kill -0 $! && ! grep -qi "$(printf ':%04X ' $port)" /proc/net/udp; do sleep 0.1; done
    timeout 60 "$tool" run $source ! $sender ! rtplacpay ! udpsink name=out host=127.0.0.1 port=$port \
        >"$name.sent" 2>&1 &
}
steady=tolerance=10000000000 # a busy machine's clock may jump
call plain run $frames "lacenc" ! rtplacdepay ! lacdec $steady
call lost lose $frames "lacenc" do-lost=true ! rtplacdepay ! lacdec $steady
call held lose $frames "lacenc redundancy=40" do-lost=true ! rtplacdepay ! lacdec hold=40 $steady
free_ports
timeout 60 "$tool" run rtpbin name=rtp latency=200 do-lost=true udpsrc port=$port num-buffers=$frames \
    caps="$rtp,$parameters" ! rtp.recv_rtp_sink_0 rtp. ! rtplacdepay ! lacdec $steady ! fakesink name=out \
    udpsrc port=$((port + 1)) ! rtp.recv_rtcp_sink_0 \
    rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=$((port + 2)) sync=false async=false >bin 2>bin.err &
while kill -0 $! && ! grep -qi "$(printf ':%04X ' $port)" /proc/net/udp; do sleep 0.1; done
timeout 60 "$tool" run rtpbin name=rtp $source ! lacenc ! rtplacpay ! rtp.send_rtp_sink_0 \
    rtp.send_rtp_src_0 ! udpsink name=out host=127.0.0.1 port=$port \
    rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=$((port + 1)) sync=false async=false \
    udpsrc port=$((port + 2)) ! rtp.recv_rtcp_sink_0 >bin.sent 2>&1 &
if [ -z "$webrtc" ]; then
    timeout 60 "$caller" 40000 audiotestsrc is-live=true ! lacenc frames-per-packet=2 >webrtc 2>webrtc.err &
fi
wait
file=plain has "a call over UDP: everything arrives" samples $all breaks 0 received $frames latency 210
file=bin has "rtpbin, RTCP both ways" samples $all breaks 0 received $frames concealed 0
file=lost has "losses, do-lost=true: concealed, duration kept" samples $all breaks 0 concealed 26 received 75 late 0
file=held has "hold and redundancy: recovered" samples $all breaks 0 concealed 0 recovered 26 latency 250
if [ -z "$webrtc" ]; then
    file=webrtc has "webrtcbin: offer, answer, ICE, DTLS-SRTP" concealed 0 malformed 0
    [ "$(number samples webrtc)" -ge 40000 ]; result $? "a call between two webrtcbins" "$(cat webrtc.err)"
else
    echo "ok $((count += 1)) - a call between two webrtcbins # SKIP $webrtc"
fi

# ---- what can't work
# fails NAME MESSAGE PIPELINE...
fails()
{
    local name=$1 message=$2
    shift 2
    play 1 "$name" "$tool" run "$@"
    grep -q "$message" err; result $? "$name: says why" "$message"
}
test_tone="audiotestsrc num-buffers=20"
fails "no such model" "model 'nosuch'.*no such file" $test_tone ! lacenc model=nosuch ! fakesink name=out
fails "a model that lacdec has not" "needs the model with id [0-9a-f]\{32\}, which is not built in" \
    $test_tone ! lacenc model="$tiny" ! lacdec ! fakesink name=out
fails "another model" "needs the model with id .* but 'speech24' has id" \
    $test_tone ! lacenc model="$tiny" ! lacdec model=speech24 ! fakesink name=out
fails "another rate" "can't handle caps" $test_tone ! audio/x-raw,rate=16000 ! lacenc ! fakesink name=out
fails "payloads without caps" "needs caps with model" \
    fakesrc num-buffers=1 ! audio/x-lac,rate=24000,channels=1 ! rtplacpay ! fakesink name=out
fails "RTP without parameters" "needs caps with token-bits" \
    fakesrc num-buffers=1 ! $rtp ! rtplacdepay ! fakesink name=out
play 0 "a named model" "$tool" run $test_tone ! lacenc model="$tiny" ! lacdec model="$tiny" ! fakesink name=out

echo "1..$count"
[ $bad -eq 0 ]
