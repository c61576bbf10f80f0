#!/bin/sh
# What people moved into Junk, or out of it, teaches rspamd: as root, every hour (deploy/traboule-learn-spam.timer). The keywords $Junk
# and $NotJunk are set by Dovecot when a message is moved (report-spam.sieve, report-ham.sieve); $Learned says that it was learned.
set -eu
most=500 # messages an hour of each kind
learn() { # KEYWORD learn_spam|learn_ham
    doveadm -f tab search -A KEYWORD "$1" NOT KEYWORD '$Learned' SAVEDSINCE 2d 2>/dev/null | tail -n +2 | head -n $most |
        while IFS="$(printf '\t')" read -r user mailbox uid; do
            # one that rspamd does not take, such as one it knows from elsewhere, is not tried again
            doveadm fetch -u "$user" text mailbox-guid "$mailbox" uid "$uid" 2>/dev/null | tail -n +2 | rspamc "$2" >/dev/null 2>&1 || true
            doveadm flags add -u "$user" '$Learned' mailbox-guid "$mailbox" uid "$uid" </dev/null
        done
}
learn '$Junk' learn_spam
learn '$NotJunk' learn_ham
