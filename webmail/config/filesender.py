"""Table `[filesender]` of config.toml: a FileSender of the establishment's, which sends large files instead of this webmail.

How a table is read: `config/tables.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from webmail.config import files
from webmail.config.checks import ConfigError, base_address, between, checked, line, one_of

_LONGEST = 500  # characters of a secret


@dataclass(frozen=True, slots=True)
class FileSender:
    """`application` and `secret` are those of its `auth_remote_applications`: with them this webmail acts for anybody there."""

    url: str = checked(base_address)  # where its index.php and rest.php are
    whom: str = checked(one_of("everybody", "groups"), default="everybody")  # groups: only those whose policy says so
    application: str = checked(line(100, empty=True), default="")  # empty: people connect their own account (`services`)
    secret: str = field(default="", repr=False, metadata={"check": line(_LONGEST, empty=True)})
    secret_file: str = checked(line(500, empty=True), default="")  # holds it instead, readable by the service alone
    person: str = checked(one_of("address", "name"), default="address")  # how it knows people: by address, or the part before @
    algorithm: str = checked(one_of("sha1", "sha256", "sha512"), default="sha1")  # its auth_remote_signature_algorithm
    most_days: int = checked(between(1, 3650), default=20)  # its max_transfer_days_valid

    def __post_init__(self) -> None:
        if self.secret and self.secret_file:
            raise ConfigError("filesender needs secret or secret_file, not both")
        if bool(self.application) != bool(self.secret or self.secret_file):
            raise ConfigError("filesender needs both application and secret, or neither")


def loaded(given: FileSender | None, instance: Path) -> FileSender | None:
    """The table with the secret that its file holds. Raises ConfigError, also where others than the service may read the file."""
    if given is None or not given.secret_file:
        return given
    file = instance / given.secret_file
    with files.named(f"filesender: secret_file {file}"):
        mode = file.stat().st_mode
        with file.open(encoding="utf-8", errors="replace") as opened:
            secret = opened.read(_LONGEST + 100).strip()
    if mode & 0o007:
        raise ConfigError(f"filesender: everybody on this machine can read secret_file {file}: chmod o-rwx")
    if not secret or len(secret) > _LONGEST or len(secret.split()) > 1 or not secret.isprintable():
        raise ConfigError(f"filesender: secret_file {file} must hold one line, the secret")
    return replace(given, secret=secret, secret_file="")
