#!/bin/sh
# What scripts/run --no-gateway does on a machine without Python: starts everything, shows nothing but the addresses.
set -eu
cd "$(dirname "$0")/../.."
command -v cargo >/dev/null || { echo "run: cargo is missing: install Rust from https://rustup.rs" >&2; exit 1; }

echo "Building, which takes some minutes the first time …"
cargo build --bins --package demo-shop --package web-bff --package mobile-bff --package partner-bff
bin=${CARGO_TARGET_DIR:-target}/debug
mkdir -p target/run

# The guard ends what was started once nobody holds the pipe's other end: also when this script is killed.
pipe=$(mktemp -u)
mkfifo "$pipe"
pids=''
start() {
    "$@" >"target/run/${1##*/}.log" 2>&1 </dev/null 3>&- &
    pids="$pids $!"
}
start "$bin/demo-shop"
for frontend in web:8081 mobile:8082 partner:8083; do
    name=${frontend%:*}-bff
    export BFF__PUBLIC_URL="http://127.0.0.1:${frontend#*:}"
    start "$bin/$name" serve --config "deploy/demo/$name.toml"
done
( trap '' INT TERM HUP; read -r _ <"$pipe" || true; kill $pids 2>/dev/null || true ) 3>&- &
exec 3>"$pipe"
rm "$pipe"
trap 'exit 0' INT TERM HUP

echo "web-bff 8081, mobile-bff 8082, partner-bff 8083, demo-shop 3001 to 3007. Logs: target/run/*.log. Ctrl-C stops everything."
while :; do
    for pid in $pids; do
        kill -0 "$pid" 2>/dev/null || { echo "run: a program ended: see target/run/*.log" >&2; exit 1; }
    done
    sleep 1
done
