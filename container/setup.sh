#!/bin/sh
# Makes the folder `secrets`, which compose.yaml names, and prints what a person needs of it: the tokens are kept nowhere else.
set -eu
cd "$(dirname "$0")"
if [ -e secrets ]; then
  echo "There is a folder secrets already. Remove it first to have new ones made." >&2
  exit 1
fi

random() {
  od -An -N "$1" -t x1 /dev/urandom | tr -d ' \n'
}
sha256() {
  if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

webmail=ibt_$(random 32)
operator=ibt_$(random 32)
password=$(random 8)
grafana=$(random 8)

# The files are read by the users of the containers. On this host the folder keeps all others out.
mkdir -m 700 secrets
umask 022
printf %s "$webmail" | sha256 > secrets/webmail_tokens
printf %s "$operator" | sha256 > secrets/operator_tokens
echo "anna:{PLAIN}$password" > secrets/mail_users
printf %s "$grafana" > secrets/grafana_password

cat << END
Token of the web application:             $webmail
Token of an operator, for the page:       $operator
User of Dovecot, and her password:        anna $password
User of Grafana, and the password:        admin $grafana
END
