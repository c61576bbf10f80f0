"""Every setting, its default and what it is for.

Defaults <- `instance/config.toml` <- environment (`WEBMAIL_` + the name in capitals). `docs/administrator.md` lists them
all; a test holds that list true.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from webmail.account import Account, Password, Server, Token, TokenIssuer


class ConfigError(Exception):
    """A setting is missing, unknown or of the wrong kind; the message says which and what to write."""


@dataclass(frozen=True, slots=True)
class Settings:
    # --- the establishment -------------------------------------------------------------------------------------------
    name: str = "Traboule"  # what the sign-in page and the top bar show
    domain: str = ""  # added to a user name typed without one: "alice" -> "alice@lycee.example"
    language: str = "fr"  # for a browser that asks for neither French nor English
    timezone: str = "Europe/Paris"

    # --- servers -----------------------------------------------------------------------------------------------------
    imap_host: str = "127.0.0.1"
    imap_port: int = 993
    imap_security: str = "tls"  # tls, starttls, or none (loopback only)
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 465
    smtp_security: str = "tls"
    sieve_host: str = ""  # ManageSieve; empty where the server has none
    sieve_port: int = 4190
    sieve_security: str = "starttls"
    ca_file: str = ""  # certificate authority to trust instead of the system's, PEM
    server_timeout: float = 8.0  # seconds to wait for any answer of a mail server

    # --- accounts and sign-in ----------------------------------------------------------------------------------------
    sign_in: str = "imap"  # imap: the IMAP server checks passwords; accounts: our own table does, as Dovecot reads it
    token_key_file: str = ""  # ES256 private key (PEM) that Dovecot trusts: no mail password is kept then
    token_issuer: str = "https://webmail.example.test"
    token_client: str = "traboule"
    token_key_id: str = "wm1"
    session_idle_hours: float = 12.0  # signed out after so long without a visit
    session_absolute_hours: float = 24.0 * 14  # signed out after so long in any case
    shared_idle_minutes: float = 20.0  # instead of session_idle_hours, on a computer said to be shared
    secure_cookies: bool = True  # off only for plain http on loopback
    proxies: int = 0  # reverse proxies in front whose X-Forwarded-For and -Proto are believed; 0: none
    sign_in_attempts: int = 10  # wrong passwords for one address, or from one network address, in 15 minutes

    # --- storage -----------------------------------------------------------------------------------------------------
    database_url: str = ""  # sqlite:////path or postgresql://...; empty: traboule.sqlite in the instance folder
    secret_key: str = field(default="", repr=False)  # empty: made once and kept in the instance folder
    jobs_file: str = ""  # the job queue; empty: jobs.sqlite in the instance folder
    uploads_folder: str = ""  # attachments being written; empty: uploads/ in the instance folder

    # --- mail --------------------------------------------------------------------------------------------------------
    page_size: int = 50  # rows of a message list
    message_limit_mb: int = 25  # largest message one may send, attachments as encoded
    undo_seconds: int = 5  # how long a message waits before it leaves
    imap_connections: int = 200  # kept open at most, all people together
    imap_connections_per_person: int = 3
    imap_idle_seconds: int = 300  # a connection unused for so long is closed

    instance: str = "instance"  # the folder all the relative names above stand in

    def account(self, address: str, username: str = "", password: str | None = None) -> Account:
        """The mail account of `address`: by signed token where there is a key, else by the password given."""
        credential: Password | Token
        if issuer := self.issuer():
            credential = Token(address, issuer)
        elif password is not None:
            credential = Password(username or address, password)
        else:
            raise ConfigError("without token_key_file a password is needed to reach the mail servers")
        return Account(address, self.imap, self.smtp, credential, self.sieve)

    def issuer(self) -> TokenIssuer | None:
        if not self.token_key_file:
            return None
        key = Path(self.instance, self.token_key_file).read_text()
        return TokenIssuer(key, self.token_issuer, self.token_client, self.token_key_id)

    @property
    def imap(self) -> Server:
        return self._server("imap")

    @property
    def smtp(self) -> Server:
        return self._server("smtp")

    @property
    def sieve(self) -> Server | None:
        return self._server("sieve") if self.sieve_host else None

    def _server(self, kind: str) -> Server:
        host, port, security = (getattr(self, f"{kind}_{what}") for what in ("host", "port", "security"))
        return Server(host, port, security, self.server_timeout, self.ca_file)

    @property
    def message_limit(self) -> int:
        """Bytes."""
        return self.message_limit_mb * 1024 * 1024


def load(instance: str | Path, **overrides: Any) -> Settings:
    """The settings in force for this instance folder, which is made where it is missing.

    `overrides` win over file and environment (tests use them). Raises ConfigError.
    """
    folder = Path(instance).resolve()
    folder.mkdir(parents=True, exist_ok=True, mode=0o770)  # never open to others, whatever the umask
    values: dict[str, Any] = {}
    file = folder / "config.toml"
    if file.exists():
        try:
            values.update(tomllib.loads(file.read_text(encoding="utf-8")))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{file}: {error}") from error
    known = {f.name: f.type for f in fields(Settings)}
    for name in known:
        if (text := os.environ.get(f"WEBMAIL_{name.upper()}")) is not None:
            values[name] = text
    values.update(overrides)
    values["instance"] = str(folder)
    if unknown := set(values) - set(known):
        raise ConfigError(f"{file}: unknown setting {', '.join(sorted(unknown))}; docs/administrator.md lists them all")
    settings = Settings(**{name: _coerce(name, str(known[name]), value) for name, value in values.items()})
    for name, allowed in _CHOICES.items():
        if getattr(settings, name) not in allowed:
            raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {getattr(settings, name)!r}")
    for server in ("imap", "smtp", "sieve"):
        if getattr(settings, f"{server}_security") == "none" and not _loopback(getattr(settings, f"{server}_host")):
            raise ConfigError(f"{server}_security may be none only on this machine (127.0.0.1, ::1, localhost)")
    return replace(
        settings,
        secret_key=settings.secret_key or _kept_secret(folder / "secret_key"),
        database_url=settings.database_url or f"sqlite:///{folder / 'traboule.sqlite'}",
        jobs_file=str(folder / (settings.jobs_file or "jobs.sqlite")),
        uploads_folder=str(folder / (settings.uploads_folder or "uploads")),
    )


_SECURITY = ("tls", "starttls", "none")
_CHOICES = {
    "imap_security": _SECURITY,
    "smtp_security": _SECURITY,
    "sieve_security": _SECURITY,
    "sign_in": ("imap", "accounts"),
    "language": ("fr", "en"),
}


def _loopback(host: str) -> bool:
    return host in ("", "localhost", "::1") or host.startswith("127.")


def _coerce(name: str, kind: str, value: Any) -> Any:
    try:
        if kind == "bool":
            return value if isinstance(value, bool) else {"1": True, "true": True, "0": False, "false": False}[str(value).lower()]
        return {"int": int, "float": float, "str": str}[kind](value)
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigError(f"{name} must be of kind {kind}, not {value!r}") from error


def _kept_secret(file: Path) -> str:
    """The secret of this instance, made at the first start; readable by its owner only."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(secrets.token_urlsafe(48))
    return file.read_text().strip()
