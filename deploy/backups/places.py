"""Places: what is in a backup, and where it comes from."""

from __future__ import annotations

from pathlib import Path

from deploy.installer.changes import Changes
from deploy.installer.job import CODE, DATA, MAIL

STAGING = "/var/lib/traboule-backup"  # the database and the counts, made for each backup
MAIL_COPY = f"{MAIL}/.backup"  # on the disk of mail, since messages are linked
SECRET = "/etc/traboule/secrets/backup"  # the password of the repository
MANIFEST = f"{STAGING}/manifest.json"  # what is counted (contents.py)
DUMP = f"{STAGING}/database"

# restored before the installer runs: it makes none of these anew then
FIRST = (
    "/etc/traboule", "/etc/letsencrypt", "/etc/dkimkeys", "/etc/dovecot/oauth", "/etc/dovecot/traboule.key",
    "/etc/dovecot/mail-crypt", "/etc/dovecot/local.conf", "/etc/aliases", "/etc/nginx/traboule.d", "/etc/nftables.d", STAGING,
    f"{DATA}/token.pem",  # Dovecot is told its other half
)  # fmt: skip
# after it, with everything stopped
THEN = (DATA,)
# never brought back by itself, but there to be looked at
ALSO = ("/etc/dovecot", "/etc/postfix", "/etc/rspamd/local.d")
# not runuser, whose session wants rights that traboule-backup.service leaves out
_AS_POSTGRES = "setpriv --reuid=postgres --regid=postgres --init-groups --"
LEFT_OUT = (f"{DATA}/db", f"{DATA}/images", f"{DATA}/*.sqlite*", "*.pyc")


def dump(changes: Changes, on_postgresql: bool) -> None:
    """The database as it is now, and the counts, into STAGING. Raises InstallError."""
    changes.folder(STAGING, "root", 0o700)
    if on_postgresql:
        changes.run(
            "bash", "-c", f"umask 077 && cd / && {_AS_POSTGRES} pg_dump -Fc traboule >{DUMP}.new && mv {DUMP}.new {DUMP}"
        )  # fmt: skip
    else:
        # Traboule's own command: nobody waits, and what SQLite keeps in a second file is in it
        made = f"{DATA}/db/.backup.sqlite"
        changes.run(f"{CODE}/deploy/flask", "backup", made, folder=CODE)
        changes.run("mv", made, DUMP)
        changes.run("chown", "root:root", DUMP)
    Path(DUMP).chmod(0o600)


def messages(mail: Path) -> list[Path]:
    """The files of all messages below a folder of mailboxes."""
    return [file for folder in ("cur", "new") for file in mail.glob(f"[!.]*/*/**/{folder}/*") if file.is_file()]
