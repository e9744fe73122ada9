# Sourced by the tests in a browser, which have `fail`: finds or installs what they need, and builds the programs that they start.

command -v node >/dev/null || fail "node is missing: install Node.js 20 or later"
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || fail "Node.js 20 or later is needed, this is $(node --version)"
command -v openssl >/dev/null || fail "openssl is missing: install your system's package of that name"

export TRIPTYCH_CHROMIUM=${TRIPTYCH_CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$TRIPTYCH_CHROMIUM" ]; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
        fail "$TRIPTYCH_CHROMIUM is missing: install Chromium, or say where it is in TRIPTYCH_CHROMIUM"
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null || fail "Chromium could not be installed"
fi

# What is installed is what the lock says: npm keeps a copy of it.
modules=tests/sign-in/node_modules
if ! cmp -s tests/sign-in/package-lock.json "$modules/.lock"; then
    npm --prefix tests/sign-in ci --no-audit --no-fund --loglevel=error
    cp tests/sign-in/package-lock.json "$modules/.lock"
fi

if [ -z "${TRIPTYCH_BIN_DIR:-}" ]; then
    cargo build -q -p demo-shop -p web-bff
    export TRIPTYCH_BIN_DIR=${CARGO_TARGET_DIR:-$PWD/target}/debug
fi
# Made once, before several gateways look for it at the same time.
scripts/gateway --validate

export TRIPTYCH_SCREENSHOTS=${TRIPTYCH_SCREENSHOTS:+$(realpath -m "$TRIPTYCH_SCREENSHOTS")}
