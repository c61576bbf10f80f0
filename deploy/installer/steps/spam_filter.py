"""Spam filter: rspamd marks spam and signs what people send (DKIM); with little memory OpenDKIM signs, and nothing is marked."""

from __future__ import annotations

from deploy.installer import templates
from deploy.installer.job import CODE, Job

_KEYS = "/etc/dkimkeys"
_LEARNING = ("traboule-learn-spam.service", "traboule-learn-spam.timer")


def words(job: Job) -> str:
    virus = ", with ClamAV" if job.answers.antivirus else ""
    return (
        f"mark spam and sign mail by rspamd{virus}"
        if job.spam_filter
        else "sign mail by OpenDKIM (no spam filter: too little memory, or as answered)"
    )


def key_file(job: Job) -> str:
    return f"{_KEYS}/{job.answers.domain}.{job.answers.dkim_selector}.key"


def record(job: Job) -> str:
    """The text of the DNS record that belongs to the key."""
    said = job.changes.run("openssl", "pkey", "-in", str(job.changes.path(key_file(job))), "-pubout")
    return f"v=DKIM1; k=rsa; p={''.join(line for line in said.splitlines() if not line.startswith('-'))}"


def has_key(job: Job) -> bool:
    return job.changes.path(key_file(job)).is_file()


def make_key(job: Job) -> None:
    """Where there is none yet: Traboule's settings tell its record, before anything signs by it."""
    changes = job.changes
    user = "_rspamd" if job.spam_filter else "opendkim"
    changes.folder(_KEYS, "root", 0o755)
    changes.secret(
        key_file(job),
        lambda: changes.run("openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
        owner=user,
    )


def take(job: Job) -> None:
    make_key(job)
    if job.spam_filter:
        _rspamd(job)
    else:
        _opendkim(job)


def _rspamd(job: Job) -> None:
    changes, answers = job.changes, job.answers
    values = {"domain": answers.domain, "key": key_file(job), "selector": answers.dkim_selector}
    texts = {name: templates.filled(f"rspamd/{name}", **values) for name in templates.names("rspamd")}
    if not answers.antivirus:
        texts["antivirus.conf"] = "enabled = false;\n"
    written = [changes.file(f"/etc/rspamd/local.d/{name}", text) for name, text in texts.items()]
    changes.run("rspamadm", "configtest", "-q")
    changes.enable("valkey-server")
    if answers.antivirus:
        changes.join_group("_rspamd", "clamav")
        changes.enable("clamav-freshclam", "clamav-daemon")
    if any(written):
        job.restart_later("rspamd")
    changes.enable("rspamd")
    new = [changes.file(f"/etc/systemd/system/{name}", changes.path(f"{CODE}/deploy/{name}").read_text()) for name in _LEARNING]
    if any(new):
        changes.run("systemctl", "daemon-reload")
    changes.enable(_LEARNING[1])


def _opendkim(job: Job) -> None:
    changes, answers = job.changes, job.answers
    changes.file("/etc/opendkim-nobody", "# nobody: only who has signed in is signed for\n")
    text = templates.filled("opendkim.conf", domain=answers.domain, selector=answers.dkim_selector, key=key_file(job))
    if changes.file("/etc/opendkim.conf", text):
        job.restart_later("opendkim")
    changes.enable("opendkim")
