"""A source: what synchronising asks of another server, whatever it speaks: DAV (`client.RemoteServer`) or Graph (`graph/`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from webmail.dav.remote.client import RemoteChanges
from webmail.http_fetch import FetchedResponse
from webmail.models import RemoteItem


class RemoteSource(Protocol):
    """All methods raise FollowTroubleError and RoundOverError. Names are as in addresses; texts are of calendars or cards."""

    @property
    def whole_every(self) -> timedelta:
        """How often all of it is compared, whatever the server's tokens say."""

    def ctag(self, url: str) -> str:
        """What changes with a collection, of a server that tells no changes; "" where it has none."""

    def changes(self, url: str, token: str) -> RemoteChanges:
        """What changed since `token`, or everything for "". Raises SyncTokenRefusedError."""

    def listing(self, url: str) -> RemoteChanges:
        """Everything, of a server that tells no changes."""

    def complete(self, url: str, found: RemoteChanges, items: Sequence[RemoteItem]) -> None:
        """Add what the changes leave out. `items`: what was known before."""

    def items(self, url: str, kind: str, names: Sequence[str]) -> dict[str, tuple[str, str] | None]:
        """Entity tags and texts of these; None for what is no longer there. Those on which the server breaks are left out."""

    def item(self, url: str, name: str) -> tuple[str, str] | None:
        """The same of one."""

    def identify(self, url: str, name: str) -> str:
        """What an item is called there that was sent by this name, whose answer may never have come."""

    def put(self, url: str, kind: str, name: str, text: str, etag: str) -> FetchedResponse:
        """Write an item in place of the one with this entity tag; a new one for "". The answer may be 4xx."""

    def delete(self, url: str, name: str, etag: str) -> int:
        """Delete an item if it has this entity tag; the status, which may be 4xx."""
