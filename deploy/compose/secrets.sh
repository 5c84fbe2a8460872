#!/bin/sh
# Every secret that compose.yaml needs is in secrets/, made at random; what is there already stays as it is.
# For a trial the certificate signs itself: put one that clients trust in its place, as tls.crt and tls.key.
set -eu

cd "$(dirname "$0")"
host=$(printf '%s' "${SIXTY_PUBLIC_URL:?name the address under which clients reach it}" | sed 's#^[a-z]*://##; s#[:/].*##')
umask 077
mkdir -p secrets
cd secrets

# the folder keeps others out, so that the users inside the containers may read what is mounted for them
keep() {
    [ -s "$1" ] || {
        cat >"$1.new"
        chmod 0444 "$1.new"
        mv "$1.new" "$1"
    }
}

for name in database_password redis_password jwt_secret audit_key metrics_token grafana_password; do
    openssl rand -hex 32 | keep "$name"
done
echo "postgresql+asyncpg://sixty:$(cat database_password)@postgres:5432/sixty" | keep database_url
echo "redis://:$(cat redis_password)@redis:6379/0" | keep redis_url
echo "{\"redis://redis:6379\": \"$(cat redis_password)\"}" | keep redis_exporter.json

if [ ! -s tls.crt ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$host" \
        -addext "subjectAltName=DNS:$host" -keyout tls.key -out tls.crt 2>/dev/null
    chmod 0444 tls.key tls.crt
fi
