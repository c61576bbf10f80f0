"""Settings of the establishment's directory: who sees whom in it, and addresses in it that no account has."""

from __future__ import annotations

from dataclasses import dataclass

from webmail.config.checks import ConfigError, checked, line, mailbox, one_of

EVERYONE, OWN_GROUPS, NOBODY = "everyone", "own groups", "nobody"


def _address(name: str, value: str) -> None:
    """An address without a name before it. Raises ConfigError."""
    if mailbox(name, value).email.lower() != value.lower():
        raise ConfigError(f"{name} must be an address alone, and not {value[:80]!r}")


@dataclass(frozen=True, slots=True)
class SightRule:
    """Whom the people of a group see in the directory. The first entry that is for somebody counts."""

    sees: str = checked(one_of(EVERYONE, OWN_GROUPS, NOBODY))
    group: str = checked(line(100, empty=True), default="")  # whom it is for; empty: everybody who comes this far
    also: str = checked(line(500, empty=True), default="")  # groups whose people they see too, separated by commas

    @property
    def more(self) -> tuple[str, ...]:
        return tuple(name for one in self.also.split(",") if (name := one.strip()))


@dataclass(frozen=True, slots=True)
class ListedAddress:
    """A functional mailbox or mailing list of the establishment."""

    name: str = checked(line(100))
    address: str = checked(_address)
    about: str = checked(line(200, empty=True), default="")  # what it is for, where: "Room 12, 8 to 17 h"
    group: str = checked(line(100, empty=True), default="")  # whose people see it; empty: all who see the directory
