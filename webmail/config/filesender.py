"""Table `[filesender]` of config.toml: a FileSender of the establishment's, which sends large files instead of this webmail.

How a table is read: `config/tables.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from webmail.config.checks import ConfigError, base_address, between, checked, line, one_of


@dataclass(frozen=True, slots=True)
class FileSender:
    """`application` and `secret` are those of its `auth_remote_applications`: with them this webmail acts for anybody there."""

    url: str = checked(base_address)  # where its index.php and rest.php are
    whom: str = checked(one_of("everybody", "groups"), default="everybody")  # groups: only those whose policy says so
    application: str = checked(line(100, empty=True), default="")  # empty: people connect their own account (`services`)
    secret: str = field(default="", repr=False, metadata={"check": line(500, empty=True)})
    person: str = checked(one_of("address", "name"), default="address")  # how it knows people: by address, or the part before @
    algorithm: str = checked(one_of("sha1", "sha256", "sha512"), default="sha1")  # its auth_remote_signature_algorithm
    most_days: int = checked(between(1, 3650), default=20)  # its max_transfer_days_valid

    def __post_init__(self) -> None:
        if bool(self.application) != bool(self.secret):
            raise ConfigError("filesender needs both application and secret, or neither")
