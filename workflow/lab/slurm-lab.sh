#!/usr/bin/env bash
# A private Slurm on loopback, to test with and to try things out: slurmctld, slurmd for each of
# some made-up nodes with made-up GPUs, and (unless ACCT=none) slurmdbd over MariaDB.
#
#   slurm-lab.sh check           are the programs there? installs them on Debian and Ubuntu
#   slurm-lab.sh up              start; prints the line that a shell needs to use it
#   slurm-lab.sh env             that line again
#   slurm-lab.sh with COMMAND    start, run COMMAND in it, stop
#   slurm-lab.sh restart DAEMON  stop it and start it again, as a test does to slurmctld
#   slurm-lab.sh down            stop what `up` started, and nothing else
#
#   SLURMLAB  folder of everything that it writes ($PWD/.slurm-lab)
#   NODES     nodes, named n1, n2, ... (2)
#   GPUS      made-up GPUs of a node: device files that are /dev/null (2)
#   CPUS      CPUs that a node claims to have (4)
#   ACCT      dbd: with accounting; none: without (dbd)
#   PORT0     first of the ports PORT0..PORT0+10+NODES (a free range)
#   OWNER     a process id: when that process ends, however it ends, the lab stops
set -euo pipefail

SELF=$(realpath "$0")
FOLDER=$(realpath -m "${SLURMLAB:-$PWD/.slurm-lab}")
# The daemons' files know no blanks, and sockets no long names: they see the folder by a short link.
LAB=/run/slurm-lab-$(printf %s "$FOLDER" | sha256sum | head -c 12)
NODES=${NODES:-2} GPUS=${GPUS:-2} CPUS=${CPUS:-4} ACCT=${ACCT:-dbd}
MARK="# slurm-lab $FOLDER"
export SLURM_CONF=$LAB/etc/slurm.conf
unset "${!SBATCH_@}" "${!SLURM_JOB@}"

say() { printf 'slurm-lab: %s\n' "$*" >&2; }
die() { say "error: $*"; exit 2; }

# wait_for SECONDS PROGRAM...: until it succeeds. A client that hangs is cut off.
wait_for() {
  local end=$((SECONDS + $1)); shift
  until timeout 10 "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || { say "waited in vain for: $*; see $FOLDER/log"; return 1; }
    sleep 0.1
  done
}

# PID 1 of a container may not reap: a zombie counts as gone.
alive() { local state; state=$(ps -o stat= -p "$1" 2>/dev/null) && [[ $state != Z* ]]; }
gone() { ! alive "$1"; }
export -f alive gone
running() { [ -r "$LAB/run/$1.pid" ] && alive "$(cat "$LAB/run/$1.pid")"; }

# Its own session, and no pipe of ours: a CI job that waits for end of file would wait for ever.
daemon() {
  local name=$1; shift
  setsid "$@" </dev/null >"$LAB/log/$name.out" 2>&1 &
  echo $! >"$LAB/run/$name.pid"
}

check() {
  local missing=() program
  local needed=(munged slurmctld slurmd sbatch)
  [ "$ACCT" = none ] || needed+=(slurmdbd mariadbd mariadb-install-db)
  PATH=$PATH:/usr/sbin
  for program in "${needed[@]}"; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ "$(id -u)" = 0 ] || die "the lab needs root (cgroups, device files)"
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null || die "missing: ${missing[*]}; install Slurm, munge and MariaDB"
  say "installing Slurm (missing: ${missing[*]})"
  local packages=(slurmctld slurmd slurm-client munge)
  [ "$ACCT" = none ] ||
    packages+=(slurmdbd slurm-wlm-mysql-plugin mariadb-server-core mariadb-client-core)
  install_packages "${packages[@]}" || { apt-get update -qq && install_packages "${packages[@]}"; } ||
    die "apt-get could not install ${packages[*]}"
}

# Debian starts the daemons of what it installs; policy-rc.d would forbid it, if there is an init.
install_packages() {
  DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free() {
  local port
  for ((port = $1; port <= $1 + 10 + NODES; port++)); do ! busy $port || return 1; done
}

# Below the range that the kernel gives to clients.
free_range() {
  local first
  until first=$((10000 + RANDOM % 20000)); free $first; do :; done
  echo $first
}

configure() {
  # Whole process trees are killed with cgroups; linuxproc loses children that were re-parented;
  # pgid takes three seconds for each job.
  local track=linuxproc n
  grep -q ' /sys/fs/cgroup/freezer ' /proc/mounts && track=cgroup
  {
    # What is not Slurm's default is here because a test or submitit needs it:
    # - FirstJobId: else a new lab gives old job ids again, and old results lie in %j folders; and
    #   of two labs that give the same ids, one ends the other's jobs, by the names of cgroups;
    # - preempt_send_user_signal: preemption sends the signal that submitit checkpoints on;
    # - cred_expire: a requeued job waits for it, 120 s by default.
    cat <<CONF
ClusterName=lab
FirstJobId=$(shuf -n 1 -i 1000-60000000)
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$PORT0
SlurmctldParameters=preempt_send_user_signal
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$LAB/run/munge.sock,cred_expire=5
StateSaveLocation=$LAB/state
SlurmdSpoolDir=$LAB/spool/%n
SlurmctldPidFile=$LAB/run/slurmctld.own
SlurmdPidFile=$LAB/run/slurmd-%n.own
SlurmctldLogFile=$LAB/log/slurmctld.log
SlurmdLogFile=$LAB/log/slurmd-%n.log
SlurmdParameters=config_overrides
MailProg=/bin/true
ProctrackType=proctrack/$track
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
MinJobAge=3600
KillWait=10
SlurmdTimeout=30
InactiveLimit=0
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
PartitionName=main Nodes=ALL Default=YES State=UP MaxTime=60 DefaultTime=5 DefMemPerCPU=100 \
PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=high Nodes=ALL State=UP MaxTime=60 DefMemPerCPU=100 PriorityTier=10 PreemptMode=OFF
CONF
    for ((n = 1; n <= NODES; n++)); do
      echo "NodeName=n$n NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((PORT0 + 10 + n))" \
        "CPUs=$CPUS RealMemory=8000 Gres=gpu:$GPUS State=UNKNOWN"
    done
    if [ "$ACCT" = none ]; then
      echo AccountingStorageType=accounting_storage/none
    else
      cat <<CONF
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=$((PORT0 + 1))
AccountingStoragePass=$LAB/run/munge.sock
AccountingStorageEnforce=limits
AccountingStoreFlags=job_comment
AccountingStorageTRES=gres/gpu
CONF
    fi
  } >"$SLURM_CONF"
  printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >"$LAB/etc/cgroup.conf"
  echo "NodeName=n[1-$NODES] Name=gpu File=$LAB/dev/nvidia[0-$((GPUS - 1))]" >"$LAB/etc/gres.conf"
  cat >"$LAB/etc/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$LAB/run/munge.sock,cred_expire=5
DbdHost=localhost
DbdPort=$((PORT0 + 1))
SlurmUser=root
LogFile=$LAB/log/slurmdbd.log
PidFile=$LAB/run/slurmdbd.own
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$((PORT0 + 2))
StorageUser=slurm
StoragePass=lab
StorageLoc=slurm_acct
CONF
  chmod 600 "$LAB/etc/slurmdbd.conf"
}

start_accounting() {
  [ -d "$LAB/db/mysql" ] || mariadb-install-db --no-defaults --user=root --datadir="$LAB/db" \
    --auth-root-authentication-method=normal --skip-test-db >"$LAB/log/install-db.out" 2>&1 ||
    die "the accounting's database cannot be made; see $FOLDER/log/install-db.out"
  cat >"$LAB/etc/init.sql" <<SQL
CREATE USER IF NOT EXISTS 'slurm'@'127.0.0.1' IDENTIFIED BY 'lab';
GRANT ALL ON slurm_acct.* TO 'slurm'@'127.0.0.1';
SQL
  daemon mariadbd mariadbd --no-defaults --user=root --datadir="$LAB/db" --skip-log-bin \
    --bind-address=127.0.0.1 --port=$((PORT0 + 2)) --socket="$LAB/run/mysql.sock" \
    --pid-file="$LAB/run/mariadbd.own" --init-file="$LAB/etc/init.sql" --skip-name-resolve \
    --innodb-buffer-pool-size=64M --innodb-lock-wait-timeout=900 \
    --innodb-flush-log-at-trx-commit=0
  wait_for 30 test -S "$LAB/run/mysql.sock"
  daemon slurmdbd slurmdbd -D
  wait_for 30 sacctmgr -n show cluster
  sacctmgr -i add cluster lab >/dev/null 2>&1 || true
}

start() {
  case $1 in
    slurmctld) daemon slurmctld slurmctld -D -f "$SLURM_CONF" ;;
    slurmd-*) daemon "$1" slurmd -D -f "$SLURM_CONF" -N "${1#slurmd-}" ;;
    *) die "$1: only slurmctld and slurmd-NODE can be restarted" ;;
  esac
}

restart() {
  running "$1" || die "$1 does not run in $FOLDER"
  # As a service manager stops it: killed outright, slurmctld would forget what it has accepted since
  # it last saved its state, and give the same ids to other jobs.
  local pid; pid=$(cat "$LAB/run/$1.pid")
  kill "$pid"
  wait_for 30 bash -c "gone $pid"
  start "$1"
  wait_for 20 scontrol ping
}

idle() { [ "$(sinfo -h -N -p main -t idle -o %N | wc -l)" = "$NODES" ]; }

# The names of the nodes must resolve. Each lab has a line of its own, so that one takes away no
# other's; /etc/hosts of a container cannot be replaced, only written.
add_hosts() {
  local names; names=$(seq -s ' ' -f 'n%g' "$NODES")
  flock /etc/hosts sh -c 'echo "127.0.0.1 $0 $1" >>/etc/hosts' "$names" "$MARK"
}
remove_hosts() {
  flock /etc/hosts sh -c 'kept=$(grep -vxF "$(grep -F -- "$0" /etc/hosts)" /etc/hosts)
    printf "%s\n" "$kept" >/etc/hosts' "$MARK"
}

up() {
  check
  running slurmctld && { say "already up in $FOLDER"; return; }
  local n
  ((NODES > 0 && GPUS > 0 && CPUS > 0)) || die "NODES, GPUS and CPUS must be at least 1"
  PORT0=${PORT0:-$(free_range)}
  free "$PORT0" || die "PORT0=$PORT0: one of the ports to $((PORT0 + 10 + NODES)) is taken"
  mkdir -p "$FOLDER"/{etc,run,log,state,spool,dev}
  ln -sfn "$FOLDER" "$LAB"
  chmod 755 "$LAB"
  head -c 128 /dev/urandom >"$LAB/etc/munge.key"
  chmod 600 "$LAB/etc/munge.key"
  for ((n = 0; n < GPUS; n++)); do
    [ -e "$LAB/dev/nvidia$n" ] || mknod "$LAB/dev/nvidia$n" c 1 3
  done
  grep -qF -- "$MARK" /etc/hosts || add_hosts
  configure
  [ -z "${OWNER:-}" ] || daemon owner "$SELF" follow "$OWNER"
  daemon munged munged --foreground --force --key-file="$LAB/etc/munge.key" \
    --socket="$LAB/run/munge.sock" --pid-file="$LAB/run/munged.own" \
    --log-file="$LAB/log/munged.log" --seed-file="$LAB/run/munged.seed"
  wait_for 10 munge -S "$LAB/run/munge.sock" -n
  [ "$ACCT" = none ] || start_accounting
  start slurmctld
  wait_for 20 scontrol ping
  for ((n = 1; n <= NODES; n++)); do
    mkdir -p "$LAB/spool/n$n"
    start "slurmd-n$n"
  done
  export -f idle; export NODES
  wait_for 30 bash -c idle
  say "$NODES nodes in ${SECONDS} s, ports from $PORT0, folder $FOLDER"
}

# Jobs first, then the daemons from the bottom up, so that none waits for one that is gone.
down() {
  local name pid file
  if running slurmctld; then
    timeout 10 scancel --user=root --full || true
    wait_for 15 bash -c '[ -z "$(squeue -h -t running,completing)" ]' || true
  fi
  for file in "$LAB"/run/slurmd-*.pid "$LAB"/run/{slurmctld,slurmdbd,mariadbd,munged,owner}.pid; do
    name=$(basename "$file" .pid)
    running "$name" || continue
    pid=$(cat "$file")
    [ "$pid" != "$$" ] || continue
    kill "$pid"
    wait_for 15 bash -c "gone $pid" || kill -9 "$pid" || true
    rm -f "$file"
  done
  ! grep -qsF -- "$MARK" /etc/hosts || remove_hosts
  rm -f "$LAB"
}

follow() {
  trap 'exit 0' TERM
  while alive "$1"; do sleep 0.5; done
  down
}

case ${1:-} in
  check) check ;;
  up) up; echo "export SLURM_CONF=$SLURM_CONF" ;;
  env) echo "export SLURM_CONF=$SLURM_CONF" ;;
  with)
    shift
    running slurmctld && die "a lab is already up in $FOLDER; stop it with: $0 down"
    trap down EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    OWNER=$$ up
    "$@"
    ;;
  down) down ;;
  restart) [ $# = 2 ] || die "restart slurmctld, or slurmd-NODE"; restart "$2" ;;
  follow) follow "$2" ;;
  *) sed -n '2,/^set/{/^set/d;s/^# \?//;p}' "$0" >&2; exit 2 ;;
esac
