#!/usr/bin/env bash
# synth/slurm with Debian's Slurm on one node of its own: slurm.sh LAC CLITOOL MODEL FACTORMODEL RUN. An array of four
# tasks of which one is killed gives the bytes of a single run. Starts munged, slurmctld and slurmd in a temporary
# folder, with a key and ports of its own; needs slurm-wlm and root. Prints TAP.
lac=$(realpath "$1") tool=$(realpath "$2") model=$(realpath "$3") factors=$(realpath "$4") run=$(realpath "$5")
PATH=$PATH:/usr/sbin:/sbin
skip_all() { echo "1..0 # SKIP $*"; exit 0; }
for program in munged slurmctld slurmd sbatch sinfo scontrol; do
    command -v $program >/dev/null || skip_all "no $program (slurm-wlm)"
done
[ "$(id -u)" = 0 ] || skip_all "not root"
. "$(dirname "$0")/tap.sh"

# ---- a cluster of one node
pids=()
end_all() {
    scancel -u root 2>/dev/null
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null && wait "${pids[i]}" 2>/dev/null; done
    rm -rf "$work"
}
trap end_all EXIT
node=$(hostname -s) port=$((20000 + RANDOM % 20000))
chmod 755 "$work"
mkdir state spool && head -c 1024 /dev/urandom >munge.key && chmod 600 munge.key
cat >slurm.conf <<END
ClusterName=lac
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
MinJobAge=600
NodeName=$node NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
END
export SLURM_CONF=$work/slurm.conf
cannot() { sed 's/^/# /' ./*.log daemons 2>/dev/null | tail -n 40; skip_all "$*"; }

munged --foreground --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munge.pid" \
    --log-file="$work/munge.log" --seed-file="$work/munge.seed" >>daemons 2>&1 &
pids+=($!)
for ((i = 0; i < 100; i++)); do [ -S munge.socket ] && break; sleep 0.1; done
[ -S munge.socket ] || cannot "munged does not start"
slurmctld -D -f "$SLURM_CONF" >>daemons 2>&1 &
pids+=($!)
slurmd -D -f "$SLURM_CONF" -N "$node" >>daemons 2>&1 &
pids+=($!)
for ((i = 0; i < 300; i++)); do [ "$(timeout 10 sinfo -h -o %T 2>/dev/null)" = idle ] && break; sleep 0.2; done
[ "$(timeout 10 sinfo -h -o %T 2>/dev/null)" = idle ] || cannot "slurmctld and slurmd do not come up here"
echo "# $(slurmctld -V) on $node"

# ---- a data set of six shards, by one process
mkdir clips
for i in 0 1 2 3; do "$tool" wav clips/$i.wav speech 24000 1 $((60000 + 12000 * i)); done
for i in 0 1 2 3; do echo "{\"path\": \"clips/$i.wav\", \"speaker\": \"s$((i % 2))\", \"text\": \"word $i\"}"; done >m.jsonl
printf '%s\n' "name: p" "seed: 7" "count: 150" "speaker: {same: 1, seed: 1}" "style: {rate: {uniform: [0.9, 1.2]}}" \
    "gates: {clipped_share_max: 1, silent_share_max: 1}" "output: {audio: flac, shard_outputs: 25}" >p.yaml
export LAC_SYNTH_OPTIONS="--codec $model -m $factors"
"$lac" synth $LAC_SYNTH_OPTIONS p.yaml -i m.jsonl -o single -j 1 >out 2>err && "$lac" synth --merge single >out 2>>err
result $? "a single run"

# ---- by four tasks, of which the second is killed in its second shard, the first time
cat >killed <<END
#!/usr/bin/env bash
case " \$* " in
*" --shard 2/4 "*)
    if mkdir "$work/was-killed" 2>/dev/null; then
        "$lac" "\$@" & pid=\$!
        until [ -s "$work/array/p-000005.jsonl.part" ]; do kill -0 \$pid || exit 99; done
        kill -KILL \$pid \$\$
    fi ;;
esac
exec "$lac" "\$@"
END
chmod +x killed
LAC=$work/killed timeout 400 "$run" -w p.yaml m.jsonl array 4 >out 2>err
result $? "an array of four tasks"
: >err
[ -d was-killed ]; result $? "one was killed"
scontrol show job 2>/dev/null | tr '\n' ' ' | sed 's/JobId=/\nJobId=/g' >jobs
grep -q 'ArrayTaskId=2 .*JobName=synth .*JobState=FAILED' jobs; result $? "Slurm has seen it" "$(grep -c . jobs) jobs"
is "the others ended well" "$(grep -c 'JobName=\(synth\|repeat\|merge\) .*JobState=COMPLETED' jobs)" 8
for f in array.slurm/*.log; do sed "s|^|# ${f##*/}: |" "$f"; done | grep -E 'found|made|problems'
[ "$(sed -n 's/^made *//p' array.slurm/repeat-2.log)" -gt 0 ]; result $? "what was not made is made"
[ "$(sed -n 's/^found *//p' array.slurm/repeat-2.log)" -gt 25 ]; result $? "and nothing again"
(cd single && sha256sum -- *.tar *.jsonl shards.sha256) >wanted
(cd array && sha256sum -- *.tar *.jsonl shards.sha256) >got
same "the bytes of the single run" wanted got
sed 's/^/# /' array/shards.sha256
[ -s array/report.html ]; result $? "and a report"
run 0 "all of it is sound" "$lac" synth --verify array

# ---- the same command again
LAC=$work/killed timeout 400 "$run" -w p.yaml m.jsonl array 3 >out 2>err; result $? "again, by three tasks"
: >err
(cd array && sha256sum -- *.tar *.jsonl shards.sha256) >got
same "changes nothing" wanted got
rm array/p-000003.tar
LAC=$work/killed timeout 400 "$run" -w p.yaml m.jsonl array 2 >out 2>err; result $? "with a shard lost"
: >err
(cd array && sha256sum -- *.tar *.jsonl shards.sha256) >got
same "makes it anew" wanted got
"$run" p.yaml m.jsonl array none >out 2>err; is "a wrong number of tasks" $? 2
"$run" nowhere.yaml m.jsonl array 2 >out 2>err; [ $? -ne 0 ]; result $? "no such plan"
echo "1..$count"
[ "$bad" -eq 0 ]
