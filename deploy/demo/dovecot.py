"""The demo's Dovecot: a private tree below one folder, run by an ordinary user, reachable from this machine only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploy.demo.place import Owner
from deploy.dovecot import render

CLIENT, KEY_ID = "traboule", "wm1"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each service listens on 127.0.0.1. `relay` takes mail without a sign-in: Dovecot's own, and the outside world's."""

    imap: int
    lmtp: int
    sieve: int
    smtp: int
    relay: int
    web: int


def prepare(root: Path, owner: Owner, ports: Ports, domain: str, issuer: str) -> None:
    """Write the tree below `root`: configuration, compiled Sieve scripts, the key pair for tokens (web/token.pem)."""
    for name in ("run", "state", "mail", "log", "db", "etc", "etc/sieve", "etc/oauth"):
        folder = root / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755 if name == "run" else 0o700)  # Dovecot warns when run/ is closed
        owner.own(folder)
    web = root / "web"
    web.mkdir(exist_ok=True)
    web.chmod(0o700)
    values = render.Values(
        production=False,
        root=root,
        etc=root / "etc",
        mail=root / "mail",
        database=database_file(root),
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
    )
    file = render.write(values)
    render.make_keys(token_key(root), root / "etc" / "oauth", CLIENT, KEY_ID)
    render.compile_scripts(file)
    owner.own(*(root / "etc").rglob("*"))


def command(root: Path, owner: Owner) -> list[str]:
    """What starts Dovecot in the foreground."""
    return [*owner.prefix, "/usr/sbin/dovecot", "-F", "-c", str(root / "etc" / "dovecot.conf")]


def database_file(root: Path) -> Path:
    return root / "db" / "traboule.sqlite"


def token_key(root: Path) -> Path:
    """The private key of the webmail's tokens."""
    return root / "web" / "token.pem"
