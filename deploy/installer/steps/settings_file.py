"""Settings of Traboule: config.toml is what the installer knows, then what one has written into /etc/traboule/settings.toml."""

from __future__ import annotations

import tomllib

from deploy.installer import dns_records
from deploy.installer.changes import InstallError
from deploy.installer.job import DATA, ETC, Job
from deploy.installer.steps import database, dovecot, spam_filter

_Value = str | int | bool | list[str]

FILE = f"{DATA}/config.toml"
LOCAL = f"{ETC}/settings.toml"
_BEGINNING = f"""# Written by deploy/install: your own settings go into {LOCAL}, and replace those here. Then: sudo deploy/install
"""
_LOCAL_BEGINNING = """# Your own settings of Traboule (docs/administrator/settings.md): they replace those of the installer.
# After a change: sudo deploy/install
"""


def words(_job: Job) -> str:
    return f"write {FILE}, with your own settings of {LOCAL}"


def take(job: Job) -> None:
    changes = job.changes
    spam_filter.make_key(job)
    before = changes.path(FILE)
    if not changes.path(LOCAL).is_file():
        # an installation by hand: all that it says goes on to count
        kept = before.read_text() if before.is_file() and not changes.is_ours(FILE) else _LOCAL_BEGINNING
        changes.file(LOCAL, kept, mode=0o600)
    if changes.file(FILE, text(job), owner="traboule", mode=0o600):
        job.restart_later("traboule-web", "traboule-bodies", "traboule-jobs", "traboule-milter")


def text(job: Job) -> str:
    """The whole file. Raises InstallError where one's own settings can't be read."""
    local = job.changes.path(LOCAL).read_text() if job.changes.path(LOCAL).is_file() else ""
    try:
        own = tomllib.loads(local)
    except tomllib.TOMLDecodeError as error:
        raise InstallError(f"{LOCAL} can't be read: {error}") from error
    lines = [f"{name} = {_written(value)}" for name, value in _values(job).items() if name.partition(".")[0] not in own]
    return "\n".join([_BEGINNING, *lines, "", local])


def _values(job: Job) -> dict[str, _Value]:
    answers = job.answers
    more: dict[str, _Value] = {}
    if answers.domains[1:]:
        more["domains"] = list(answers.domains[1:])
    if answers.antivirus:
        more["transfers.clamd"] = spam_filter.CLAMD
    return more | {
        "name": answers.name,
        "domain": answers.domain,
        "language": answers.language,
        "timezone": answers.timezone,
        "public_url": f"https://{answers.webmail_host}",
        "proxies": 1,
        "system_address": f"{answers.name} <ne-pas-repondre@{answers.domain}>",
        "admin_address": answers.administrator,
        "imap_host": answers.mail_host,
        "smtp_host": answers.mail_host,
        "sieve_host": answers.mail_host,
        "mail_server": answers.mail_host,
        "sign_in": "accounts",
        "database_url": database.url(job),
        "token_key_file": "token.pem",
        "token_issuer": f"https://{answers.webmail_host}",
        "doveadm_url": "http://127.0.0.1:8895",
        "dovecot_sockets": "/run/dovecot/srv.imap",
        "doveadm_key": dovecot.key(job),
        "group_prefix": "$",
        "authserv_id": answers.domain,
        **dns_records.settings(job),
    }


def _written(value: _Value) -> str:
    if isinstance(value, list):  # tables that have a name
        return f"[{', '.join(f'{{ name = {_written(name)} }}' for name in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value}"'
