"""Other server: one that gives out people's large files instead of this one.

Which one there is says `webmail/application.py`: this area knows none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.models import Transfer, User


class NotThereError(MailError):
    """The other server can't do with a transfer what was chosen; `option` says what: password, once, or key (only its link opens
    it)."""

    status = 422

    def __init__(self, option: str) -> None:
        super().__init__(option)
        self.option = option


@dataclass(frozen=True, slots=True)
class OtherServer:
    """What this area asks of it. Its endpoints: `<name>.index`, its list; `.of_transfer` (`number`); `.guests`; `.connect`."""

    name: str
    title: str
    serves: Callable[[User, Settings], bool]  # whether somebody's files go there
    find: Callable[[User, Settings], object | None]  # None: they have to connect their account there first
    take: Callable[..., None]  # a transfer, as `store.publish` does; raises NotThereError too
    why_not: Callable[[Transfer], str]  # in words, why it did not take it the last time; "" for no reason


_known: dict[str, OtherServer] = {}


def register(server: OtherServer) -> None:
    _known[server.name] = server


def for_user(user: User, settings: Settings) -> OtherServer | None:
    """The server that gives out somebody's files; None: this one does."""
    if settings.filesender is None:
        return None
    return next((server for server in _known.values() if server.serves(user, settings)), None)
