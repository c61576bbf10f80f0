"""Packages of Debian, and the users and folders of mail and pages."""

from __future__ import annotations

from deploy.installer.job import DATA, ETC, MAIL, Job

_ALWAYS = (
    "git", "ca-certificates", "openssl", "sqop", "python3-venv", "nginx", "restic", "rsync", "sqlite3",
    "dovecot-imapd", "dovecot-lmtpd", "dovecot-managesieved", "dovecot-sieve", "dovecot-sqlite", "dovecot-flatcurve",
    "postfix", "postfix-sqlite",
    "python3-milter", "python3-dkim", "python3-spf", "python3-dnspython",
)  # fmt: skip
_SETTINGS = ("/etc/dovecot", "/etc/postfix", "/etc/nginx", "/etc/rspamd", "/etc/opendkim.conf", "/etc/nftables.conf")


def wanted(job: Job) -> list[str]:
    """All that this installation takes."""
    answers = job.answers
    names = list(_ALWAYS)
    if answers.certificate == "letsencrypt":
        names.append("certbot")
    if job.on_postgresql:
        names += ["postgresql", "dovecot-pgsql", "postfix-pgsql", "python3-psycopg2"]
    names += ["rspamd", "valkey-server"] if job.spam_filter else ["opendkim", "opendkim-tools"]
    if answers.antivirus:
        names += ["clamav-daemon", "clamav-freshclam"]
    if answers.firewall:
        names += ["nftables", "fail2ban", "python3-systemd"]
    if answers.backup.startswith("sftp:"):
        names.append("openssh-client")
    if answers.upgrades:
        names.append("unattended-upgrades")
    return names


def words(job: Job) -> str:
    return f"install {len(wanted(job))} packages of Debian: {', '.join(wanted(job))}"


def take(job: Job) -> None:
    changes = job.changes
    if not changes.is_ours(f"{ETC}/install.toml"):
        for place in _SETTINGS:
            if changes.path(place).exists():
                changes.tell(f"put a copy of {place} aside: {changes.put_aside(place)}")
    # otherwise Postfix asks what it is for, or writes what nobody wants
    changes.tried("debconf-set-selections", typed="postfix postfix/main_mailer_type select No configuration\n")
    changes.install_packages(wanted(job))
    changes.make_user("traboule", DATA)
    changes.make_user("vmail", MAIL)
    changes.folder(DATA, "traboule", 0o750)
    changes.folder(f"{DATA}/db", "traboule", 0o2770)
    changes.folder(MAIL, "vmail", 0o700)
    changes.folder(ETC, "root", 0o755)
    changes.folder(f"{ETC}/secrets", "root", 0o700)
