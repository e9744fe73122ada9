#!/bin/sh
# Runs in the container `prepare` of docker-compose.yml: makes secrets, a certificate and the gateway's configuration, and
# gives each to the one who may read it. What is there already stays, so that nobody is signed out by the next start.
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
# A URL wants them in hexadecimal, or else without what is special there.
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

echo "prepare: the gateway's certificate and configuration"
cd /triptych
python3 -B scripts/certificate --folder /run/gateway/tls >/dev/null
# The public address is http://127.0.0.1:8080: nothing may make a browser insist on TLS for this machine's name.
python3 -B scripts/gateway --render-only /run/gateway/envoy.yaml \
    --listen 0.0.0.0:8080 --admin 0.0.0.0:9901 \
    --tls-listen 0.0.0.0:8443 --certificate /run/gateway/tls/certificate.pem --key /run/gateway/tls/key.pem --hsts 0 \
    --web web-bff:8081/9081 --mobile mobile-bff:8082/9082 --partner partner-bff:8083/9083 \
    --provider demo-shop:3007

chown -R 101:101 /run/gateway
chown -R 999:999 /run/secrets/redis
for bff in web-bff mobile-bff partner-bff; do
    chown -R 65532:65532 /run/secrets/$bff
done
echo "prepare: done"
