"""Dovecot: IMAP, delivery and filters, written from deploy/dovecot; what one adds is in /etc/dovecot/local.conf."""

from __future__ import annotations

import shutil

from deploy.installer.job import CODE, DATA, Job
from deploy.installer.steps import database, postfix

_FILE = "/etc/dovecot/dovecot.conf"
LOCAL = "/etc/dovecot/local.conf"
_SOCKETS = "/run/dovecot/srv.imap"


def words(_job: Job) -> str:
    return f"write {_FILE} (what you add goes into {LOCAL}) and start Dovecot: IMAP on port 993, filters on 4190"


def take(job: Job) -> None:
    changes, answers = job.changes, job.answers
    if changes.is_edited(_FILE):
        changes.tell(
            f"writing {_FILE} again, which was edited; the edited one is {changes.put_aside(_FILE)}. Your own lines: {LOCAL}"
        )
    postfix.make_ready(job)
    certificate, key = job.certificate
    changes.run(
        f"{CODE}/.venv/bin/python", "-m", "deploy.dovecot.render", "--etc", "/etc/dovecot", "--hostname", answers.mail_host,
        "--domain", answers.domain, "--issuer", f"https://{answers.webmail_host}", "--database", database.for_dovecot(job),
        "--token-key", f"{DATA}/token.pem", "--web", "http://127.0.0.1:8000",
        "--mail-encryption", answers.mail_encryption,
        "--tls-certificate", certificate, "--tls-key", key, folder=CODE,
    )  # fmt: skip
    changes.run("chown", "traboule:traboule", f"{DATA}/token.pem")
    if changes.adopt(_FILE):
        changes.tell(f"wrote {_FILE}")
        job.restart_later("dovecot")
    changes.run("doveconf", "-c", _FILE, "-n")
    _remove_closed_sockets(job)
    changes.enable("dovecot")


def _remove_closed_sockets(job: Job) -> None:
    """The folder of sockets that Traboule opens is of root's alone where Dovecot was started before it had our settings."""
    folder = job.changes.path(_SOCKETS)
    if folder.is_dir() and folder.group() != "traboule":
        job.changes.run("systemctl", "stop", "dovecot")
        shutil.rmtree(folder)
        job.changes.tell(f"removed {_SOCKETS}, which Traboule could not open")


def key(job: Job) -> str:
    """The secret that Dovecot and Traboule share."""
    return job.changes.path("/etc/dovecot/traboule.key").read_text().strip()
