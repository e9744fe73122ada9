#!/bin/sh
# Runs in the container `prepare` of docker-compose.yml: makes secrets and a certificate, and gives each to the one
# who may read it. What is there already stays, so that nobody is signed out by the next start.
set -eu
umask 077

# secret NAME: 32 random bytes, in a file of that name unless there is one.
secret() {
    [ -s "$1" ] || openssl rand -base64 32 | tr -d '\n' >"$1"
}

echo "prepare: secrets"
cd /run/secrets
secret redis/password
printf 'requirepass "%s"\n' "$(cat redis/password)" >redis/password.conf
# As it stands in a URL.
password=$(sed 's/%/%25/g; s/+/%2B/g; s#/#%2F#g; s/=/%3D/g' redis/password)
for bff in web-bff mobile-bff partner-bff; do
    secret $bff/admin-token
    printf 'redis://:%s@redis:6379/0' "$password" >$bff/store-url
    # The demo shop's provider knows these, as everybody does.
    printf 'demo-secret-of-%s' $bff >$bff/client-secret
done
secret web-bff/session-key
for partner in acme globex; do
    printf 'demo-secret-of-%s' $partner >partner-bff/$partner-client-secret
done

echo "prepare: the gateway's certificate"
python3 -B /triptych/scripts/certificate --folder /run/secrets/gateway >/dev/null

chown -R 999:999 /run/secrets/redis
for service in gateway web-bff mobile-bff partner-bff; do
    chown -R 65532:65532 /run/secrets/$service
done
echo "prepare: done"
