#!/bin/sh
# Makes an authority, and certificates of it for Dovecot and the broker, in folders of /tls; once. The authority's key is thrown away:
# no other certificate can be made with it. To replace all of them, before the 825 days are over, remove the volumes.
set -eu
umask 077
tls=${1:-/tls}
test ! -e "$tls/authority/ca.pem" || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

new_key() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "$@"
}

new_key -x509 -days 825 -subj "/CN=imap-broker in containers" -keyout ca.key -out ca.pem
for name in dovecot broker; do
  new_key -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
  printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' "$name" > "$name.ext"
  openssl x509 -req -days 825 -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -extfile "$name.ext" -out "$name.pem"
  install -m 644 "$name.pem" "$tls/$name/cert.pem"
done
# Dovecot reads its key as root, the broker as the user of its image.
install -m 600 dovecot.key "$tls/dovecot/key.pem"
install -m 600 -o 1000 -g 1000 broker.key "$tls/broker/key.pem"
# The last one: a run that was cut short is done again.
install -m 644 ca.pem "$tls/authority/ca.pem"
