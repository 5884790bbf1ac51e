# Sourced by the scripts: a container engine that answers.

engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Starts Debian's dockerd when no engine answers. It goes on running when the script has ended.
ensure_engine() {
  if engine_answers; then return; fi
  [ -z "${DOCKER_HOST:-}" ] || die "no engine answers at DOCKER_HOST=$DOCKER_HOST; start it, or unset DOCKER_HOST"
  have dockerd || die "dockerd is not installed; install the package docker.io"
  local state=${XDG_STATE_HOME:-$HOME/.local/state}/agentdb9
  mkdir -p "$state"
  say "starting the container engine (its log: $state/dockerd.log)"
  as_root setsid dockerd >"$state/dockerd.log" 2>&1 </dev/null &
  local i
  for ((i = 0; i < 120; i++)); do
    if engine_answers; then return; fi
    sleep 0.5
  done
  tail -n 15 "$state/dockerd.log" >&2
  die "the container engine did not start within 60 seconds; the end of its log is above"
}
