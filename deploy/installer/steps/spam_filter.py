"""Spam filter: rspamd marks spam and signs what people send (DKIM); with little memory OpenDKIM signs, and nothing is marked."""

from __future__ import annotations

from collections.abc import Mapping

from deploy.installer import templates
from deploy.installer.job import CODE, Job

CLAMD = "/run/clamav/clamd.ctl"
_KEYS = "/etc/dkimkeys"
_CLAMD_CONF = "/etc/clamav/clamd.conf"
# what is larger, or locked, is told and not called clean (docs/administrator/files.md)
_CLAMD_LINES = {
    "StreamMaxLength": "1024M", "MaxFileSize": "1024M", "MaxScanSize": "1024M", "AlertExceedsMax": "yes", "AlertEncrypted": "yes",
}  # fmt: skip
_WHEN_THE_BASE_IS_THERE = {
    "traboule-antivirus.path": """# Starts ClamAV once its base is there. Written by deploy/install.
[Unit]
Description=Traboule webmail, the base of ClamAV has come

[Path]
PathExistsGlob=/var/lib/clamav/main.c[vl]d
Unit=clamav-daemon.service

[Install]
WantedBy=multi-user.target
"""
}
_LEARNING = ("traboule-learn-spam.service", "traboule-learn-spam.timer")


def words(job: Job) -> str:
    virus = ", with ClamAV" if job.answers.antivirus else ""
    return (
        f"mark spam and sign mail by rspamd{virus}"
        if job.spam_filter
        else "sign mail by OpenDKIM (no spam filter: too little memory, or as answered)"
    )


def key_file(job: Job, domain: str = "") -> str:
    """Of a domain, or of the first one."""
    return f"{_KEYS}/{domain or job.answers.domain}.{job.answers.dkim_selector}.key"


def record(job: Job) -> str:
    """The text of the DNS record that belongs to the key."""
    said = job.changes.run("openssl", "pkey", "-in", str(job.changes.path(key_file(job))), "-pubout")
    return f"v=DKIM1; k=rsa; p={''.join(line for line in said.splitlines() if not line.startswith('-'))}"


def has_key(job: Job) -> bool:
    return job.changes.path(key_file(job)).is_file()


def make_key(job: Job) -> None:
    """Where there is none yet, of each domain: Traboule's settings tell its record, before anything signs by it."""
    changes = job.changes
    user = "_rspamd" if job.spam_filter else "opendkim"
    changes.folder(_KEYS, "root", 0o755)
    for domain in job.answers.domains:
        changes.secret(
            key_file(job, domain),
            lambda: changes.run("openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
            owner=user,
        )


def take(job: Job) -> None:
    changes = job.changes
    make_key(job)
    if job.answers.antivirus:
        _clamav(job)
    else:
        _no_clamav(job)
    if job.spam_filter:
        _rspamd(job)
        changes.disable("opendkim")
    else:
        _opendkim(job)
        changes.disable("rspamd")


def _rspamd(job: Job) -> None:
    changes, answers = job.changes, job.answers
    keys = "".join(
        f'  {domain} {{\n    path = "{key_file(job, domain)}";\n    selector = "{answers.dkim_selector}";\n  }}\n'
        for domain in answers.domains
    )
    values = {"keys": keys.rstrip("\n")}
    texts = {name: templates.filled(f"rspamd/{name}", **values) for name in templates.names("rspamd")}
    if not answers.antivirus:
        texts["antivirus.conf"] = "enabled = false;\n"
    written = [changes.file(f"/etc/rspamd/local.d/{name}", text) for name, text in texts.items()]
    changes.run("rspamadm", "configtest", "-q")
    changes.enable("valkey-server")
    if any(written):
        job.restart_later("rspamd")
    changes.enable("rspamd")
    new = [changes.file(f"/etc/systemd/system/{name}", changes.path(f"{CODE}/deploy/{name}").read_text()) for name in _LEARNING]
    if any(new):
        changes.run("systemctl", "daemon-reload")
    changes.enable(_LEARNING[1])


def _clamav(job: Job) -> None:
    """ClamAV starts once its base has come from the internet, which Debian's unit waits for, but is never told of."""
    changes = job.changes
    if job.spam_filter:
        changes.join_group("_rspamd", "clamav")
    conf = changes.path(_CLAMD_CONF)
    if changes.file(_CLAMD_CONF, _with_lines(conf.read_text() if conf.is_file() else "", _CLAMD_LINES)):
        changes.tried("systemctl", "try-restart", "clamav-daemon")
    for name, text in _WHEN_THE_BASE_IS_THERE.items():
        if changes.file(f"/etc/systemd/system/{name}", text):
            changes.run("systemctl", "daemon-reload")
    changes.enable("clamav-freshclam", *_WHEN_THE_BASE_IS_THERE)
    if any(changes.path("/var/lib/clamav").glob("main.*")):
        changes.enable("clamav-daemon")
    else:
        changes.note("ClamAV's base is on its way: mail is looked at once it has come, some minutes from now")


def _no_clamav(job: Job) -> None:
    """What was asked for before, and is not any more; a ClamAV of one's own stays."""
    changes = job.changes
    ours = [name for name in _WHEN_THE_BASE_IS_THERE if changes.is_ours(f"/etc/systemd/system/{name}")]
    if not ours:
        return
    for unit in (*ours, "clamav-daemon.socket", "clamav-daemon", "clamav-freshclam"):
        changes.disable(unit)
    for name in ours:
        changes.remove(f"/etc/systemd/system/{name}")


def _with_lines(text: str, lines: Mapping[str, str]) -> str:
    """The text of clamd.conf in which these names have these values."""
    kept = [line for line in text.splitlines() if line.split(" ", 1)[0] not in lines]
    return "\n".join([*kept, *(f"{name} {value}" for name, value in lines.items()), ""])


def _opendkim(job: Job) -> None:
    changes, answers = job.changes, job.answers
    changes.file("/etc/opendkim-nobody", "# nobody: only who has signed in is signed for\n")
    called = {domain: f"{answers.dkim_selector}._domainkey.{domain}" for domain in answers.domains}
    keys = "".join(f"{name} {domain}:{answers.dkim_selector}:{key_file(job, domain)}\n" for domain, name in called.items())
    texts = {
        "/etc/opendkim-keys": keys,
        "/etc/opendkim-senders": "".join(f"{domain} {name}\n" for domain, name in called.items()),
        "/etc/opendkim.conf": templates.filled("opendkim.conf"),
    }
    written = [changes.file(name, text) for name, text in texts.items()]
    if any(written):
        job.restart_later("opendkim")
    changes.enable("opendkim")
