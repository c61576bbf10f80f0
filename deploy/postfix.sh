#!/bin/sh
# Postfix setup: connects Postfix to the Dovecot of deploy/dovecot: who may send (SASL) and where mail goes (LMTP). As root,
# once, after the usual `dpkg-reconfigure postfix` ("Internet Site"): sh deploy/postfix.sh lycee.example
# If Traboule's database is elsewhere: sh deploy/postfix.sh lycee.example /var/lib/traboule/db/traboule.sqlite; for PostgreSQL,
# pass a file with the lines hosts, user, password and dbname of pgsql_table(5) instead.
# Run it again to change the domain. People send on port 465 with TLS; the certificate is that of Postfix's main.cf.
set -eu
domain=${1:?usage: sh deploy/postfix.sh DOMAIN [DATABASE]}
database=${2:-/var/lib/traboule/db/traboule.sqlite}
senders=/etc/postfix/traboule-senders.cf

# mail for the domain goes to Dovecot, which refuses unknown recipients: Postfix verifies each before it accepts mail
postconf -e "mydestination = localhost" \
    "virtual_mailbox_domains = $domain" \
    "virtual_transport = lmtp:unix:private/dovecot-lmtp" \
    "smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, reject_unverified_recipient" \
    "unverified_recipient_reject_code = 550" \
    "smtpd_sasl_type = dovecot" \
    "smtpd_sasl_path = private/auth" \
    "smtpd_tls_security_level = may" \
    "message_size_limit = 41943040" \
    "header_size_limit = 51200" \
    "mailbox_size_limit = 0"

# allowed sender addresses: one's own, and those of `flask accounts allow`. By proxymap(8), since smtpd runs in a chroot.
case $database in
    *.sqlite) kind=sqlite connection="dbpath = $database" ;;
    *) kind=pgsql connection=$(cat "$database") ;;
esac
(umask 027 && cat >"$senders") <<END
$connection
query = SELECT address FROM accounts WHERE active = 1 AND address = lower('%s') UNION
    SELECT accounts.address FROM allowed_addresses JOIN accounts ON accounts.id = allowed_addresses.user_id
    WHERE accounts.active = 1 AND allowed_addresses.address = lower('%s')
END
chgrp postfix "$senders"
postconf -e "smtpd_sender_login_maps = proxy:$kind:$senders"
if [ "$kind" = sqlite ]; then usermod -a -G "$(stat -c %G "$database")" postfix; fi

# submission over TLS, only after sign-in
postconf -M submissions/inet="submissions inet n - y - - smtpd"
postconf -P submissions/inet/syslog_name=postfix/submissions \
    submissions/inet/smtpd_tls_wrappermode=yes \
    submissions/inet/smtpd_sasl_auth_enable=yes \
    submissions/inet/smtpd_client_restrictions=permit_sasl_authenticated,reject \
    submissions/inet/smtpd_sender_restrictions=reject_sender_login_mismatch \
    submissions/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject
echo "Postfix is set for $domain. Check it with: postfix check, then: systemctl reload postfix"
