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
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))

from demo import board, screens
from demo.board import paint
from demo.credentials import AUTHORITY, WEB_URL, NoCredential
from demo.processes import Failure, Processes, Stopped, answers, stop_on_signals

GATEWAY, GATEWAY_TLS, GATEWAY_ADMIN = 8080, 8443, 9901
# A browser that was told to insist on TLS does so for every port of localhost: not for long.
HSTS_SECONDS = 300
# That of deploy/demo/*.toml.
ADMIN_TOKEN = "demo-admin-token"
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
    parser.add_argument("--tls", action="store_true", help="the public address is https://localhost:8443, as in production")
    parser.add_argument("--once", action="store_true", help="show the answers and end; exit code 1 if one is wrong")
    options = parser.parse_args()
    if options.tls and options.no_gateway:
        parser.error("it is the gateway that ends TLS: leave out --no-gateway or --tls")
    return options


def run(processes, options):
    started = time.monotonic()
    require_cargo()
    require_free_ports(options)
    binaries = build(processes)
    if not options.no_gateway:
        processes.run("installing Envoy", [sys.executable, ROOT / "scripts/gateway", "--validate"])
        options.certificate = make_certificate(processes, options)
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


def make_certificate(processes, options):
    """Whether there is a certificate for the gateway. Only --tls cannot do without, on a machine without openssl."""
    if shutil.which("openssl") is None and not options.tls:
        return False
    processes.run("making a certificate", [sys.executable, ROOT / "scripts/certificate"])
    return True


def public_url(options, frontend):
    """Where clients find a frontend."""
    if options.no_gateway:
        return f"http://127.0.0.1:{frontend.port}"
    return f"{gateway_url(options)}/{frontend.kind}"


def gateway_url(options):
    return f"https://localhost:{GATEWAY_TLS}" if options.tls else f"http://127.0.0.1:{GATEWAY}"


def require_free_ports(options):
    wanted = {port: f"demo-shop {name}" for port, name in SHOP.items()}
    for frontend in screens.FRONTENDS:
        wanted |= {frontend.port: frontend.name, frontend.port + 1000: f"{frontend.name} admin"}
    if not options.no_gateway:
        wanted |= {GATEWAY: "gateway", GATEWAY_TLS: "gateway, TLS", GATEWAY_ADMIN: "gateway admin"}
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
    web = screens.FRONTENDS[0]
    WEB_URL.write_text(public_url(options, web), encoding="utf-8")
    # To web-bff itself: the provider stands behind the gateway, as the frontends do.
    logout = f"http://127.0.0.1:{web.port}/auth/backchannel-logout"
    shop = ["--redirect-uri", f"{public_url(options, web)}/auth/callback", "--backchannel-logout-uri", logout]
    processes.start("demo-shop", [binaries["demo-shop"], *shop])
    processes.wait_until(lambda: all(answers(port, "/_calls") for port in screens.SHOP_PORTS), "demo-shop")
    for frontend in screens.FRONTENDS:
        config = ROOT / f"deploy/demo/{frontend.name}.toml"
        changes = {"BFF__PUBLIC_URL": public_url(options, frontend)}
        processes.start(frontend.name, [binaries[frontend.name], "serve", "--config", config], changes)
    for frontend in screens.FRONTENDS:
        processes.wait_until(lambda port=frontend.port + 1000: answers(port, "/readyz"), frontend.name)
    if not options.no_gateway:
        processes.start("gateway", [sys.executable, ROOT / "scripts/gateway", *tls_arguments(options)])
        processes.wait_until(lambda: answers(GATEWAY_ADMIN, "/ready"), "gateway")


def tls_arguments(options):
    if not options.certificate:
        return []
    files = ["--certificate", AUTHORITY.with_name("certificate.pem"), "--key", AUTHORITY.with_name("key.pem")]
    return ["--tls-listen", f"127.0.0.1:{GATEWAY_TLS}", *files, "--hsts", str(HSTS_SECONDS)]


def show_answers(options):
    """Asks all three and shows what they say; returns what is wrong."""
    columns, wrong = [], []
    for frontend in screens.FRONTENDS:
        url = public_url(options, frontend)
        answer = screens.ask(frontend, url)
        if fault := screens.fault(frontend, answer):
            wrong.append(f"{frontend.name}: {fault}")
        calls = f"{answer.upstream_calls} upstream call{'' if answer.upstream_calls == 1 else 's'}"
        columns.append(
            [
                (f"{frontend.name} · {frontend.caller}", "bold"),
                (f"GET {urlsplit(url).path}{frontend.path}", None),
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
    if not options.no_gateway:
        print("\n" + paint(f"Open {gateway_url(options)}/ and sign in as Ada", "bold"))
        if options.tls:
            print(f"  The browser warns unless it trusts {AUTHORITY.relative_to(ROOT)}, which scripts/certificate made.")
    print("\n" + paint("Addresses", "bold"))
    if not options.no_gateway:
        print(f"  gateway      {gateway_url(options)}  / /web /mobile /partner   admin {GATEWAY_ADMIN}")
    for frontend in screens.FRONTENDS:
        print(f"  {frontend.name:<12} http://127.0.0.1:{frontend.port}                            admin {frontend.port + 1000}")
    print("  demo-shop    " + ", ".join(f"{name} {port}" for port, name in SHOP.items()))
    show_inspector()
    show_commands(options)


def show_inspector():
    print("\n" + paint("See each request as a waterfall", "bold"))
    web, *others = screens.FRONTENDS
    also = ", ".join(f"{frontend.kind} {frontend.port + 1000}" for frontend in others)
    print(f"  http://127.0.0.1:{web.port + 1000}/inspector  token {ADMIN_TOKEN}  ({also})")


def show_commands(options):
    print("\n" + paint("Ask for yourself", "bold"))
    trust = f"--cacert {AUTHORITY.relative_to(ROOT)} " if options.tls else ""
    for frontend in screens.FRONTENDS:
        credential = f'"$(scripts/token {frontend.kind} {frontend.caller})"'
        print(f"  curl {trust}-H {credential} '{public_url(options, frontend)}{frontend.path}'")
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(public_url(options, screens.FRONTENDS[0])))
    print(f"  A write on web also needs -H 'X-CSRF: 1' -H 'Origin: {origin}'")
    if not options.no_gateway and options.certificate and not options.tls:
        print(f"  TLS: curl --cacert {AUTHORITY.relative_to(ROOT)} https://localhost:{GATEWAY_TLS}/")


if __name__ == "__main__":
    sys.exit(main())
