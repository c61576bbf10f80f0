"""Demo Dovecot: configured below one folder, run by an unprivileged user, reachable only from this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploy.demo.place import Owner
from deploy.dovecot import render

CLIENT, KEY_ID = "traboule", "wm1"


@dataclass(frozen=True, slots=True)
class Ports:
    """The port of each service on 127.0.0.1. `relay` accepts mail without sign-in: from Dovecot and from the outside world.

    With Postfix, `smtp` is its port with TLS, `submission` that with STARTTLS, and `outside` the rest of the world.
    """

    imap: int
    lmtp: int
    sieve: int
    smtp: int
    relay: int
    web: int
    submission: int
    outside: int
    auth: int
    quota: int
    milter: int
    doveadm: int


def prepare(
    root: Path,
    owner: Owner,
    ports: Ports,
    database: Path | str,
    domain: str,
    issuer: str,
    *,
    reports: bool,
    mail_encryption: str = "none",
) -> None:
    """Write all files below `root`: configuration, compiled Sieve scripts, the key pair for tokens (web/token.pem).

    With `reports` Dovecot tells the webmail of each sign-in.
    """
    for name in ("run", "state", "mail", "log", "db", "etc", "etc/sieve", "etc/oauth"):
        folder = root / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755 if name == "run" else 0o700)  # Dovecot warns if run/ is not accessible
        owner.own(folder)
    web = root / "web"
    web.mkdir(exist_ok=True)
    web.chmod(0o700)
    values = render.Values(
        production=False,
        root=root,
        etc=root / "etc",
        mail=root / "mail",
        database=database,
        hostname=f"mail.{domain}",
        domain=domain,
        issuer=issuer,
        user=owner.name,
        group=owner.group,
        uid=owner.uid,
        gid=owner.gid,
        relay=f"127.0.0.1:{ports.relay}",
        imap_port=ports.imap,
        sieve_port=ports.sieve,
        lmtp_port=ports.lmtp,
        auth_port=ports.auth,
        quota_port=ports.quota,
        web=f"http://127.0.0.1:{ports.web}" if reports else "",
        doveadm_port=ports.doveadm,
        key=render.kept_key(key_file(root)),
        mail_encryption=mail_encryption,
    )
    file = render.write(values)
    render.make_keys(token_key(root), root / "etc" / "oauth", CLIENT, KEY_ID)
    render.compile_scripts(file)
    owner.own(*(root / "etc").rglob("*"))


def command(root: Path, owner: Owner) -> list[str]:
    """The command that runs Dovecot in the foreground."""
    return [*owner.prefix, "/usr/sbin/dovecot", "-F", "-c", str(root / "etc" / "dovecot.conf")]


def database_file(root: Path) -> Path:
    return root / "db" / "traboule.sqlite"


def key_file(root: Path) -> Path:
    """The secret by which the webmail and Dovecot know each other."""
    return root / "web" / "dovecot.key"


def process_sockets(root: Path) -> Path:
    """The folder with a socket for each IMAP process, by which its connection is ended."""
    return root / "run" / "srv.imap"


def token_key(root: Path) -> Path:
    """The private key of the webmail's tokens."""
    return root / "web" / "token.pem"
