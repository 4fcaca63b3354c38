#!/bin/sh
# Make what docker-compose.yml reads: secrets in deploy/secrets, and in deploy/tls a certificate that this machine has
# signed, until you put your own there. Run as root; what is there stays.
#
#   FAL_KEY=id:secret sh deploy/secrets.sh faldeck.example
#
# FAL_KEY may be left out when every team brings its own key; then fal_key is empty.
set -eu
umask 077
name=${1:?give the host name of this site, as faldeck.example}
cd "$(dirname "$0")"
mkdir -p secrets tls
faldeck=10001 postgres=999 nginx=101

random() { od -An -v -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# keep USER FILE TEXT: a new file that only this user of a container can read.
keep() {
  [ ! -e "$2" ] || return 0
  printf '%s' "$3" >"$2.new"
  chown "$1" "$2.new"
  chmod 0400 "$2.new"
  mv "$2.new" "$2"
}

keep "$postgres" secrets/postgres_password "$(random)"
keep "$faldeck" secrets/database_url "postgres://faldeck:$(cat secrets/postgres_password)@postgres/faldeck"
keep "$faldeck" secrets/fal_key "${FAL_KEY:-}"
keep "$faldeck" secrets/metrics_token "$(random)"

if [ ! -e tls/key.pem ]; then
  openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
    -keyout tls/key.pem -out tls/fullchain.pem 2>/dev/null
fi
chown -R "$nginx" tls
chmod 0500 tls
chmod 0400 tls/key.pem
echo "deploy/secrets and deploy/tls are complete."
