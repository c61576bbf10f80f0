"""Table `[s3]` of config.toml: where files are kept with `storage = "s3"`, and the key that opens it.

How a table is read: `config/tables.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from webmail.config import files
from webmail.config.checks import ConfigError, anything, base_address, checked, is_loopback, line

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,60}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,60}){0,5})?")


def _endpoint(name: str, value: str) -> None:
    if value:  # plain http is spoken of by `plain_http`
        base_address(name, re.sub(r"^http://", "https://", value))


def _bucket(name: str, value: str) -> None:
    if not _BUCKET.fullmatch(value):
        raise ConfigError(f"{name} must be 3 to 63 lower-case letters, figures, dots and hyphens, not {value[:80]!r}")


def _prefix(name: str, value: str) -> None:
    if not _PREFIX.fullmatch(value):
        raise ConfigError(f"{name} must be names with slashes between them such as mail/school, not {value[:80]!r}")


@dataclass(frozen=True, slots=True)
class S3:
    """A bucket of any service that speaks S3. The secret stands here or in a file, and is shown nowhere."""

    bucket: str = checked(_bucket)
    key_id: str = checked(line(200))
    secret: str = field(default="", repr=False, metadata={"check": line(500, empty=True)})
    secret_file: str = checked(line(500, empty=True), default="")  # the same in a file of its own
    endpoint: str = checked(_endpoint, default="")  # https://s3.lycee.example; empty: Amazon's, by its region
    region: str = checked(line(60), default="us-east-1")
    prefix: str = checked(_prefix, default="")  # before all names, where others use the bucket too
    path_style: bool = checked(anything, default=True)  # ENDPOINT/BUCKET/NAME; off: BUCKET.ENDPOINT/NAME
    plain_http: bool = checked(anything, default=False)  # for an endpoint without TLS on another machine
    ca_file: str = checked(line(500, empty=True), default="")  # certificates that it is checked with, besides the system's

    def __post_init__(self) -> None:
        if bool(self.secret) == bool(self.secret_file):
            raise ConfigError("s3 needs either secret or secret_file: the text that belongs to key_id, or a file with it alone")
        where = urlsplit(self.endpoint)
        if where.scheme == "http" and not (self.plain_http or is_loopback(where.hostname or "")):
            raise ConfigError("s3: endpoint must begin with https://, or files cross the network in clear (plain_http = true)")

    @property
    def location(self) -> str:
        """For people: where it is, without what opens it."""
        return f"bucket {self.bucket} at {self.endpoint or f'Amazon ({self.region})'}"


def loaded(s3: S3 | None, instance: Path) -> S3 | None:
    """The table with what its files hold. Raises ConfigError."""
    if s3 is None:
        return None
    if s3.ca_file:
        s3 = replace(s3, ca_file=str(instance / s3.ca_file))
        if trouble := files.ca_trouble(s3.ca_file):
            raise ConfigError(f"s3: {trouble}")
    return replace(s3, secret=_text_of(instance / s3.secret_file), secret_file="") if s3.secret_file else s3


def _text_of(file: Path) -> str:
    with files.named(f"s3: secret_file {file}"):
        secret = file.read_text(encoding="utf-8", errors="replace").strip()
    if not secret or len(secret.split()) > 1 or not secret.isprintable():
        raise ConfigError(f"s3: secret_file {file} must hold one line, the secret")
    return secret
