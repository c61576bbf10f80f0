#!/bin/sh
# Postfix setup: connects Postfix to the Dovecot of deploy/dovecot: who may send (SASL) and where mail goes (LMTP). As root,
# once, after the usual `dpkg-reconfigure postfix` ("Internet Site"): sh deploy/postfix.sh lycee.example
# Several domains: sh deploy/postfix.sh "lycee.example college.example"
# If Traboule's database is elsewhere: sh deploy/postfix.sh lycee.example /var/lib/traboule/db/traboule.sqlite; for PostgreSQL,
# pass a file with the lines hosts, user, password and dbname of pgsql_table(5) instead.
# Run it again to change the domain. People send on port 465 (TLS) or 587 (STARTTLS); the certificate is that of main.cf.
#
# Variables of the environment, for other places than Debian's and Dovecot's usual ones (the demo and the tests use them):
#   MAIL_CONFIG      Postfix's configuration folder, with a main.cf and a master.cf (/etc/postfix)
#   DOVECOT_AUTH     where Dovecot checks sign-ins: a socket below the queue folder, or inet:HOST:PORT (private/auth)
#   DOVECOT_LMTP     where it takes mail: unix:PATH or inet:HOST:PORT (unix:private/dovecot-lmtp)
#   DOVECOT_QUOTA    where it says who is over quota: unix:PATH or inet:HOST:PORT (unix:private/quota-status)
#   MILTER           where deploy/milter answers, which refuses forged senders: inet:HOST:PORT, or none. Without this variable:
#                    inet:127.0.0.1:8894 if traboule-milter.service is installed, else none
#   SUBMISSIONS      name or number of the port with TLS (submissions: 465)
#   SUBMISSION       name or number of the port with STARTTLS (submission: 587)
set -eu
domains=${1:?usage: sh deploy/postfix.sh DOMAIN [DATABASE]}
database=${2:-/var/lib/traboule/db/traboule.sqlite}
dovecot_auth=${DOVECOT_AUTH:-private/auth}
dovecot_lmtp=${DOVECOT_LMTP:-unix:private/dovecot-lmtp}
dovecot_quota=${DOVECOT_QUOTA:-unix:private/quota-status}
if [ -e /etc/systemd/system/traboule-milter.service ]; then milter=inet:127.0.0.1:8894; else milter=none; fi
milter=${MILTER:-$milter}
submissions=${SUBMISSIONS:-submissions}
submission=${SUBMISSION:-submission}
folder=${MAIL_CONFIG:-$(postconf -h config_directory)} # postconf tells the usual folder, whatever MAIL_CONFIG says
user=$(postconf -h mail_owner)

# who there is, and who may write as whom: oneself, and the addresses of `flask accounts allow`. By proxymap(8), since smtpd runs
# in a chroot. The recipients are asked of the table and not of Dovecot, so that nobody is unknown while Dovecot restarts.
case $database in
    *.sqlite) kind=sqlite connection="dbpath = $database" ;;
    *) kind=pgsql connection=$(cat "$database") ;;
esac
table() { # NAME QUERY
    (umask 027 && printf '%s\nquery = %s\n' "$connection" "$2" >"$folder/traboule-$1.cf")
    chgrp "$user" "$folder/traboule-$1.cf"
    chmod 640 "$folder/traboule-$1.cf"
}
table people "SELECT address FROM accounts WHERE active = 1 AND address = lower('%s')"
table senders "SELECT address FROM accounts WHERE active = 1 AND address = lower('%s') UNION
    SELECT accounts.address FROM allowed_addresses JOIN accounts ON accounts.id = allowed_addresses.user_id
    WHERE accounts.active = 1 AND allowed_addresses.address = lower('%s')"
table rooms "SELECT '550 5.7.2 This is a room, not a person: book it with an event of the calendar' FROM resources
    WHERE address = lower('%s') UNION SELECT '550 5.1.1 This mailbox is closed' FROM accounts WHERE active = 0 AND address = lower('%s')"
# people themselves first: '@lycee.example' is an alias too, of all that nobody has
table aliases "SELECT address FROM accounts WHERE active = 1 AND address = lower('%s') UNION
    SELECT accounts.address FROM mail_aliases JOIN accounts ON accounts.id = mail_aliases.user_id
    WHERE accounts.active = 1 AND mail_aliases.address = lower('%s')"
# what the groups with an address add to it: everybody in them
table lists "SELECT accounts.address FROM people_groups JOIN group_members ON group_members.group_id = people_groups.id
    JOIN accounts ON accounts.id = group_members.user_id
    WHERE accounts.active = 1 AND people_groups.address = lower('%s')"
if [ "$kind" = sqlite ]; then
    group=$(stat -c %G "$database")
    case " $(id -Gn "$user") " in *" $group "*) ;; *) usermod -a -G "$group" "$user" ;; esac
fi

# mail to a room that people book is refused with words; without them where the table can't be read (GRANT SELECT ON resources)
rooms="\$traboule_rooms,"
if [ "$(id -u)" = 0 ]; then ask="runuser -u $user -- postmap"; else ask=postmap; fi # as proxymap(8) will read it
said=$($ask -q nobody@invalid.example "$kind:$folder/traboule-rooms.cf" 2>&1) || true # it finds none
if [ -z "$said" ]; then
    postconf -e "traboule_rooms = check_recipient_access proxy:$kind:$folder/traboule-rooms.cf"
else
    rooms=
    postconf -X traboule_rooms
    echo "Mail to rooms is refused without words, since their table can't be read: $said"
fi

# further addresses of people; without them where the table can't be read (GRANT SELECT ON mail_aliases)
other_aliases=$(postconf -h virtual_alias_maps | sed 's/[, ]*\$traboule_aliases//')
said=$($ask -q nobody@invalid.example "$kind:$folder/traboule-lists.cf" 2>&1) || true
if [ -z "$said" ]; then
    # lists first: '@lycee.example' of the other map would take their mail
    lists="proxy:$kind:$folder/traboule-lists.cf, "
else
    lists=
    echo "Mail to addresses of groups is refused, since their tables can't be read: $said"
fi
said=$($ask -q nobody@invalid.example "$kind:$folder/traboule-aliases.cf" 2>&1) || true
if [ -z "$said" ]; then
    postconf -e "traboule_aliases = ${lists}proxy:$kind:$folder/traboule-aliases.cf" "virtual_alias_expansion_limit = 20000" \
        "virtual_alias_maps = ${other_aliases:+$other_aliases, }\$traboule_aliases"
else
    postconf -e "virtual_alias_maps = $other_aliases"
    postconf -X traboule_aliases
    echo "Mail to further addresses of people is refused, since their table can't be read: $said"
fi

# port 25: mail for our domains and nobody else's, for people there are and whose mailbox has room; then to Dovecot
postconf -e "mydestination = localhost" \
    "traboule_quota = check_policy_service { $dovecot_quota, timeout=10s, default_action=DUNNO }" \
    "virtual_mailbox_domains = $domains" \
    "virtual_mailbox_maps = proxy:$kind:$folder/traboule-people.cf" \
    "virtual_transport = lmtp:$dovecot_lmtp" \
    "recipient_delimiter = +" \
    "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination" \
    "smtpd_recipient_restrictions = permit_mynetworks, ${rooms}reject_unlisted_recipient, \$traboule_quota" \
    "smtpd_helo_required = yes" \
    "disable_vrfy_command = yes" \
    "smtpd_sasl_type = dovecot" \
    "smtpd_sasl_path = $dovecot_auth" \
    "smtpd_sasl_auth_enable = no" \
    "smtpd_sender_login_maps = proxy:$kind:$folder/traboule-senders.cf" \
    "smtpd_tls_security_level = may" \
    "smtpd_tls_auth_only = yes" \
    "message_size_limit = 41943040" \
    "header_size_limit = 51200" \
    "mailbox_size_limit = 0"
postconf -X unverified_recipient_reject_code # of an earlier version of this script

# the door: asked about all that comes by SMTP, before other milters, such as one that signs. While it is away, nothing is taken
others=$(postconf -h smtpd_milters | sed 's/\$traboule_milter[, ]*//')
if [ "$milter" = none ]; then
    postconf -e "smtpd_milters = $others"
    postconf -X traboule_milter
else
    postconf -e "traboule_milter = { $milter, protocol=6, connect_timeout=10s, default_action=tempfail }" \
        "smtpd_milters = \$traboule_milter${others:+, $others}"
fi

# ports 465 and 587: only after sign-in, only over TLS, only under one's own name
submit() { # SERVICE NAME OPTION
    postconf -M "$1/inet=$1 inet n - y - - smtpd"
    postconf -P "$1/inet/syslog_name=postfix/$2" \
        "$1/inet/$3" \
        "$1/inet/smtpd_sasl_auth_enable=yes" \
        "$1/inet/smtpd_client_restrictions=permit_sasl_authenticated,reject" \
        "$1/inet/smtpd_sender_restrictions=reject_sender_login_mismatch" \
        "$1/inet/smtpd_relay_restrictions=permit_sasl_authenticated,reject" \
        "$1/inet/smtpd_recipient_restrictions=${rooms}reject_unlisted_recipient,\$traboule_quota,permit_sasl_authenticated,reject"
}
submit "$submissions" submissions smtpd_tls_wrappermode=yes
submit "$submission" submission smtpd_tls_security_level=encrypt
echo "Postfix is set for $domains (milter: $milter). Check it with: postfix check, then: systemctl reload postfix"
