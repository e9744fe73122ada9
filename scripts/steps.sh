# Sourced by check and test: runs steps one after another, stops at the first that fails, and says how long each took.

DONE=()
BOLD='' PLAIN=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then BOLD=$'\033[1m' PLAIN=$'\033[0m'; fi

# step NAME COMMAND...
step() {
    local name=$1 started=$SECONDS
    shift
    printf '\n%s== %s%s\n' "$BOLD" "$name" "$PLAIN"
    if "$@"; then
        DONE+=("$(printf '%5d s  %s' $((SECONDS - started)) "$name")")
    else
        printf '\n%s: %s failed\n' "${0##*/}" "$name" >&2
        exit 1
    fi
}

# What ran, and how long it took.
summary() {
    printf '\n'
    printf '%s\n' "${DONE[@]}"
    printf '%5d s  %s\n' "$SECONDS" "${0##*/}, all of it"
}

# require PROGRAM WHERE-TO-GET-IT
require() {
    command -v "$1" >/dev/null || { echo "${0##*/}: $1 is missing: $2" >&2; exit 1; }
}

require cargo "install Rust from https://rustup.rs"
require python3 "install Python 3.10 or later"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    { echo "${0##*/}: Python 3.10 or later is needed, this is $(python3 --version)" >&2; exit 1; }
export PYTHONDONTWRITEBYTECODE=1

# Everything below the first script is one process group, which group.py ends as a whole. Bash's own `set -m` would stop
# a script in a script on a terminal: it is then in the background, where job control waits to be brought forward.
if [ -z "${STEPS_IN_GROUP:-}" ]; then
    export STEPS_IN_GROUP=yes
    exec python3 scripts/group.py "scripts/${0##*/}" "$@" </dev/null
fi
