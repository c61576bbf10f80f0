"""Drive facts: what is kept of large files that go to a drive of their writer: which drive, which links, how far they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from webmail.models import DriveState, Transfer
from webmail.transfers import store


@dataclass(frozen=True, slots=True)
class DriveLink:
    """The link to a file there. `expires`: an ISO date, "" for none; `number`: to take it back by, "" if that can't be; `entry`:
    the file, as tasks keep it."""

    url: str
    right: str
    has_password: bool = False
    expires: str = ""
    number: str = ""
    entry: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DriveChoice:
    """What its writer chose. `password`: sealed (base64), "" for none; `expires` as a link's; `task`: the one that brings files
    there; `problem`: why it ended without them, as a word; `links`: by file."""

    connection: int
    title: str
    right: str
    folder: str = ""
    password: str = ""
    expires: str = ""
    task: str = ""
    problem: str = ""
    links: Mapping[int, DriveLink] = field(default_factory=dict)

    def is_same_order(self, other: DriveChoice) -> bool:
        """Whether links of the one are as the other wants them."""
        return replace(self, task="", problem="", links={}) == replace(other, task="", problem="", links={})


def load(transfer: Transfer | None) -> DriveChoice | None:
    """None where files are given out here. 0 queries."""
    if transfer is None or not transfer.drive_state:
        return None
    told = json.loads(transfer.drive or "{}")
    links = {int(number): DriveLink(**link) for number, link in told.pop("links").items()}
    return DriveChoice(**told, links=links)


def keep(transfer: Transfer, choice: DriveChoice | None, state: DriveState = DriveState.WAITING) -> None:
    """One UPDATE. None: they are given out here."""
    if choice is None:
        store.set_drive(transfer, "", "")
    else:
        store.set_drive(transfer, state, json.dumps(asdict(choice), ensure_ascii=False))


def with_link(choice: DriveChoice, file_id: int, link: DriveLink) -> DriveChoice:
    return replace(choice, links={**choice.links, file_id: link})
