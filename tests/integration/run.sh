#!/usr/bin/env bash
# The fixture of the integration tests: `run.sh up BIN`, `run.sh down`, `run.sh test PROGRAM ARGS...`.
# One control plane with 50 simulated nodes and the four services serve all of them; those of quotas and Orders, which
# wait for whole minutes (KORDER_LANE=clock), have one of their own, so that nothing else waits with them.
set -euo pipefail
cd "$(dirname "$0")/../.."
# Two work trees on one machine may test at the same time.
base=${KORDER_INSTANCE:-itest-$(pwd | cksum | cut -d' ' -f1)}
instance=$base${KORDER_LANE:+-$KORDER_LANE}

case ${1:-} in
  up)
    scripts/services down --name "$instance" >/dev/null 2>&1 || true
    scripts/devcluster down --name "$instance" >/dev/null 2>&1 || true
    scripts/devcluster up --name "$instance" --nodes 50 --node-cpu 8 --node-memory 32Gi \
      --node-label node-type=compute --audit
    scripts/services up --name "$instance" --bin "$2"
    ;;
  down)
    scripts/services down --name "$instance"
    scripts/devcluster down --name "$instance"
    ;;
  test)
    shift
    KORDER_SOURCE=$PWD
    KORDER_INSTANCE=$instance
    KUBECONFIG=$(scripts/devcluster kubeconfig --name "$instance")
    audit_log() {
      scripts/devcluster status -o json | jq -r --arg n "$1" '.instances[] | select(.name == $n).auditLog'
    }
    KORDER_AUDIT_LOG=$(audit_log "$instance")
    KORDER_AUDIT_LOG_CLOCK=$(audit_log "$base-clock")  # empty when it is not there
    PATH=$(scripts/devcluster bin):$PATH  # kubectl
    built=$(dirname "$1")/../../bin
    if [[ -d $built ]]; then PATH=$(cd "$built" && pwd):$PATH; fi  # korderctl
    export KORDER_SOURCE KORDER_INSTANCE KUBECONFIG KORDER_AUDIT_LOG KORDER_AUDIT_LOG_CLOCK PATH
    exec "$@"
    ;;
  *)
    echo "usage: run.sh up BIN | down | test PROGRAM ARGS..." >&2
    exit 2
    ;;
esac
