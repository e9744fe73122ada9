#!/bin/sh
# What scripts/run --no-gateway does on a machine without Python: starts everything, shows nothing but the addresses.
set -eu
cd "$(dirname "$0")/../.."
command -v cargo >/dev/null || { echo "run: cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }
bin=${CARGO_TARGET_DIR:-target}/debug
programs='' pids=''
mkdir -p target/run

# The guard reads the id of every program that is started. Once nobody holds the pipe's other end it ends them all:
# also when this script was killed.
pipe=$(mktemp -u)
mkfifo "$pipe"
(
    trap '' INT TERM HUP
    pids=''
    while read -r pid; do [ "$pid" = none ] && pids='' || pids="$pids $pid"; done
    # shellcheck disable=SC2086 # one word for each program
    kill $pids 2>/dev/null || true
) <"$pipe" >/dev/null 2>&1 &
guard=$!
exec 3>"$pipe"
rm "$pipe"

# What was started has ended when this script ends.
end_all() {
    trap '' INT TERM HUP
    kill -KILL "$guard" || true
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    wait
} 2>/dev/null
trap end_all EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND...: what it writes goes to its log.
start() {
    name=$1
    shift
    "$@" >"target/run/$name.log" 2>&1 </dev/null 3>&- &
    pids="$pids $!"
    programs="$programs $!:$name"
    echo $! >&3
}

# Fails with the last line of the log of the first program that ended.
require_alive() {
    for program in $programs; do
        kill -0 "${program%%:*}" 2>/dev/null && continue
        name=${program#*:}
        echo "run: $name ended; the end of target/run/$name.log: $(tail -n 1 "target/run/$name.log")" >&2
        exit 1
    done
}

echo "Building, which takes some minutes the first time …"
# In the background, because a shell that waits for a program hears no signal. The selection is explained in run.py.
cargo build --workspace --bins --examples --locked </dev/null 3>&- &
pids=$! && echo $! >&3
wait $! || { echo "run: the build failed, for the reason above" >&2; exit 1; }
pids='' && echo none >&3

start demo-shop "$bin/demo-shop" --redirect-uri http://127.0.0.1:8081/auth/callback \
    --backchannel-logout-uri http://127.0.0.1:8081/auth/backchannel-logout
for frontend in web:8081 mobile:8082 partner:8083; do
    name=${frontend%:*}-bff
    export BFF__PUBLIC_URL="http://127.0.0.1:${frontend#*:}"
    start "$name" "$bin/$name" serve --config "deploy/demo/$name.toml"
done

round=0
while :; do
    sleep 1 3>&-
    require_alive
    round=$((round + 1))
    [ $round -ne 2 ] || echo "Up: web-bff 8081, mobile-bff 8082, partner-bff 8083, demo-shop 3001 to 3007 (debug build)." \
        "Inspector: http://127.0.0.1:9081/inspector (mobile 9082, partner 9083), token demo-admin-token." \
        "Logs: target/run/*.log. Ctrl-C stops everything."
done
