"""Builds and starts the whole system, shows the same shop on three frontends, and stops everything at Ctrl-C."""

import argparse
import json
import os
import shutil
import socket
import sys
import time
from http.client import HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))

from demo import board, screens
from demo.board import paint
from demo.credentials import NoCredential
from demo.processes import Failure, Processes, Stopped, answers, stop_on_signals

GATEWAY, GATEWAY_ADMIN = 8080, 9901
SHOP = {3001: "users", 3002: "orders", 3003: "catalog", 3004: "notifications", 3005: "billing", 3006: "usage", 3007: "identity"}


def main():
    options = parse_arguments()
    stop_on_signals()
    os.chdir(ROOT)
    try:
        with Processes(ROOT / "target/run") as processes:
            return run(processes, options)
    except (Failure, NoCredential, OSError, HTTPException) as error:
        print(f"run: {error}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        print(f"\nStopped by {stopped}.")
        return 128 + stopped.number


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__)
    parser.add_argument("--no-gateway", action="store_true", help="no Envoy: the frontends are asked on their own ports")
    parser.add_argument("--once", action="store_true", help="show the answers and end; exit code 1 if one is wrong")
    return parser.parse_args()


def run(processes, options):
    started = time.monotonic()
    require_cargo()
    require_free_ports(options)
    binaries = build(processes)
    if not options.no_gateway:
        processes.run("installing Envoy", [sys.executable, ROOT / "scripts/gateway", "--validate"])
    start_all(processes, binaries, options)
    wrong = show_answers(options)
    if options.once:
        return 1 if wrong else 0
    show_addresses(options)
    print(f"\nUp after {time.monotonic() - started:.0f} s. Logs: target/run/*.log. Ctrl-C stops everything.", flush=True)
    while True:
        processes.require_alive()
        time.sleep(0.2)


def require_cargo():
    if shutil.which("cargo") is None:
        raise Failure("cargo is missing: install Rust from https://rustup.rs")


def require_free_ports(options):
    wanted = {port: f"demo-shop {name}" for port, name in SHOP.items()}
    for frontend in screens.FRONTENDS:
        wanted |= {frontend.port: frontend.name, frontend.port + 1000: f"{frontend.name} admin"}
    if not options.no_gateway:
        wanted |= {GATEWAY: "gateway", GATEWAY_ADMIN: "gateway admin"}
    for port, name in sorted(wanted.items()):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise Failure(f"port {port} ({name}) is taken by another program") from None


def build(processes):
    """Builds every program of the workspace: {name: path}."""
    print("Building, which takes some minutes the first time …", flush=True)
    # All packages, and `--examples`, of which there are none: so cargo chooses the features that scripts/test builds with.
    command = ["cargo", "build", "--workspace", "--bins", "--examples", "--locked"]
    output = processes.run("the build", [*command, "--message-format=json-render-diagnostics"])
    messages = map(json.loads, output.splitlines())
    return {m["target"]["name"]: m["executable"] for m in messages if m.get("executable")}


def start_all(processes, binaries, options):
    processes.start("demo-shop", [binaries["demo-shop"]])
    processes.wait_until(lambda: all(answers(port, "/_calls") for port in screens.SHOP_PORTS), "demo-shop")
    for frontend in screens.FRONTENDS:
        config = ROOT / f"deploy/demo/{frontend.name}.toml"
        direct = {"BFF__PUBLIC_URL": f"http://127.0.0.1:{frontend.port}"} if options.no_gateway else {}
        processes.start(frontend.name, [binaries[frontend.name], "serve", "--config", config], direct)
    for frontend in screens.FRONTENDS:
        processes.wait_until(lambda port=frontend.port + 1000: answers(port, "/readyz"), frontend.name)
    if not options.no_gateway:
        processes.start("gateway", [sys.executable, ROOT / "scripts/gateway"])
        processes.wait_until(lambda: answers(GATEWAY_ADMIN, "/ready"), "gateway")


def show_answers(options):
    """Asks all three and shows what they say; returns what is wrong."""
    columns, wrong = [], []
    for frontend in screens.FRONTENDS:
        port, prefix = (frontend.port, "") if options.no_gateway else (GATEWAY, f"/{frontend.kind}")
        answer = screens.ask(frontend, port, prefix)
        if fault := screens.fault(frontend, answer):
            wrong.append(f"{frontend.name}: {fault}")
        calls = f"{answer.upstream_calls} upstream call{'' if answer.upstream_calls == 1 else 's'}"
        columns.append(
            [
                (f"{frontend.name} · {frontend.caller}", "bold"),
                (f"GET {prefix}{frontend.path}", None),
                (f"{answer.status} · {board.size(answer.size)}", "red" if answer.status != 200 else "green"),
                (calls, "green"),
                (f"{answer.milliseconds:.0f} ms (debug build)", "green"),
                ("", None),
                *((line, "json") for line in board.outline(answer.body)),
            ]
        )
    way = "on their own ports" if options.no_gateway else "through Envoy"
    print(f"\nOne shop, three frontends, {way}: Ada Lovelace (u_42) on web and mobile, Acme as a partner\n")
    board.side_by_side(columns)
    for line in wrong:
        print(paint(f"\nWrong: {line}", "red"))
    return wrong


def show_addresses(options):
    print("\n" + paint("Addresses", "bold"))
    if not options.no_gateway:
        print(f"  gateway      http://127.0.0.1:{GATEWAY}  /web /mobile /partner     admin {GATEWAY_ADMIN}")
    for frontend in screens.FRONTENDS:
        print(f"  {frontend.name:<12} http://127.0.0.1:{frontend.port}                            admin {frontend.port + 1000}")
    print("  demo-shop    " + ", ".join(f"{name} {port}" for port, name in SHOP.items()))
    print("\n" + paint("Ask for yourself", "bold"))
    for frontend in screens.FRONTENDS:
        base = f"127.0.0.1:{frontend.port}" if options.no_gateway else f"127.0.0.1:{GATEWAY}/{frontend.kind}"
        credential = f'"$(scripts/token {frontend.kind} {frontend.caller})"'
        print(f"  curl -H {credential} '{base}{frontend.path}'")


if __name__ == "__main__":
    sys.exit(main())
