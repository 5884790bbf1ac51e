# Sourced by the scripts: where the project is, and how they speak.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '==> %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, by sudo where that is needed.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "this step needs root: run it as root, or install sudo. The step was: $*"
  fi
}

# given NAME ARGUMENT…: is the option NAME among the arguments?
given() {
  local name=$1 argument
  shift
  for argument in "$@"; do
    case $argument in "$name" | "$name"=*) return 0 ;; esac
  done
  return 1
}

# The data directory that 'agentdb9 serve' would use with these arguments.
data_dir() {
  local place=${AGENTDB9_DATA_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/agentdb9}
  while [ $# -gt 0 ]; do
    case $1 in
      --data-dir) place=${2:-$place} ;;
      --data-dir=*) place=${1#*=} ;;
    esac
    shift
  done
  printf '%s\n' "$place"
}

# build_preset PRESET [TARGET…]: configures once, then builds what has changed. Prints what is wrong, else one line.
build_preset() {
  local preset=$1 log start=$SECONDS
  shift
  log=$(mktemp)
  say "building ($preset)"
  if ! (cd "$root" && cmake --preset "$preset" && cmake --build --preset "$preset" ${1:+--target "$@"}) >"$log" 2>&1; then
    grep -E 'error|FAILED|fatal' "$log" | head -n 40 >&2 || true
    die "the build failed; all of its output is in $log"
  fi
  rm -f "$log"
  say "built in $((SECONDS - start)) s"
}
