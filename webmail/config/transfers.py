"""Table `[transfers]` of config.toml: large files that are sent as links, how large, for how long, and how they are protected.

How a table is read: `config/tables.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from webmail.config.checks import ConfigError, anything, between, checked, line, one_of, web_address

_PETABYTE = 10**9  # in MB


def _own_host(name: str, value: str) -> None:
    if value:
        web_address(name, value)


def _socket(name: str, value: str) -> None:
    line(200, empty=True)(name, value)
    if value and not value.startswith("/") and not value.rpartition(":")[2].isdigit():
        raise ConfigError(f"{name} must be the path of clamd's socket, or HOST:PORT, not {value!r}")


@dataclass(frozen=True, slots=True)
class Transfers:
    """Limits are of every person unless `flask transfers limit` says otherwise; a MB is 1024 × 1024 bytes."""

    on: bool = checked(anything, default=True)
    file_mb: int = checked(between(1, _PETABYTE), default=20_480)
    transfer_mb: int = checked(between(1, _PETABYTE), default=20_480)
    person_mb: int = checked(between(1, _PETABYTE), default=51_200)  # all that one person has stored
    total_mb: int = checked(between(0, _PETABYTE), default=0)  # all that everybody has stored; 0: until the reserve
    reserve_mb: int = checked(between(0, _PETABYTE), default=2048)  # kept free on the disk
    files: int = checked(between(1, 10_000), default=1000)  # of one transfer
    open_transfers: int = checked(between(1, 10_000), default=200)  # of one person
    recipients: int = checked(between(1, 1000), default=100)
    days: int = checked(between(1, 3650), default=15)  # unless the sender chooses otherwise
    most_days: int = checked(between(1, 3650), default=60)
    guests: bool = checked(anything, default=True)  # people may ask others for files
    forbidden_types: str = checked(line(2000, empty=True), default="")  # endings, separated by commas: "exe, bat"
    key: str = checked(one_of("server", "link", "browser"), default="server")  # the least protection: who holds the keys
    clamd: str = checked(_socket, default="")  # /run/clamav/clamd.ctl or HOST:PORT; empty: nothing is scanned
    scan_mb: int = checked(between(1, 4096), default=1024)  # clamd's StreamMaxLength
    unscanned: str = checked(one_of("offer", "refuse"), default="offer")  # files that clamd could not look at
    uploads_at_once: int = checked(between(1, 1000), default=8)  # in each web process
    downloads_at_once: int = checked(between(1, 1000), default=16)
    file_host: str = checked(_own_host, default="")  # another address of these pages, from which files come

    def __post_init__(self) -> None:
        if self.days > self.most_days:
            raise ConfigError("transfers: days must not be more than most_days")
        if self.key == "browser" and self.clamd and self.unscanned == "refuse":
            raise ConfigError('transfers: with key = "browser" nothing can be scanned: unscanned = "refuse" would refuse all')

    @property
    def endings(self) -> frozenset[str]:
        """The endings of names that are refused, in lower case, without the dot."""
        return frozenset(one.strip().lstrip(".").lower() for one in self.forbidden_types.split(",") if one.strip(" ."))
