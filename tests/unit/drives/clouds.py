"""What tests of Google Drive and OneDrive have in common: a person who has connected one, and a file that is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.fakes.service import FakeService
from webmail.config.settings import Settings
from webmail.drives import open_drives
from webmail.drives.drive import PIECE, Drive, State
from webmail.models import ConnectedService, User
from webmail.services import connections, providers

CONTENT = bytes(range(256)) * (8 * PIECE // 1024) + b"end"  # two pieces and three bytes


def connected(fake: FakeService, key: str, scopes: str, user: User, settings: Settings) -> ConnectedService:
    provider = providers.find(key, settings)
    assert provider is not None
    access, refresh = fake.give(scopes)
    secret = {"access": access, "refresh": refresh}
    return connections.make(user, provider, login="marie@example.org", secret=secret, settings=settings, scopes=scopes)[0]


def drive_of(connection: ConnectedService, settings: Settings) -> Drive:
    return open_drives.open_drive(connection, settings)


def read(start: int) -> Iterator[bytes]:
    for at in range(start, len(CONTENT), 1_000_000):
        yield CONTENT[at : min(at + 1_000_000, len(CONTENT))]


class KilledError(Exception):
    """The process ends here."""


@dataclass
class Saved:
    """What an upload remembers. `killed_at`: the call of `save` after which, or (with `before`) before which it ends."""

    state: State = field(default_factory=dict)
    sent: list[int] = field(default_factory=list)
    killed_at: int = 0
    before: bool = False

    def __call__(self, state: State, sent: int) -> None:
        self.sent.append(sent)
        kills = len(self.sent) == self.killed_at
        if kills and self.before:
            raise KilledError
        self.state = dict(state)
        if kills:
            raise KilledError


def whole(drive: Drive, entry: Any, start: int = 0, export: str = "") -> bytes:
    with drive.download(entry, start, export) as pieces:
        return b"".join(pieces)
