"""Drive links: links to files that a person keeps on another server, made there and put into the text of a draft."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from itsdangerous import BadSignature, URLSafeTimedSerializer

from webmail.compose import identities
from webmail.compose.drafts import drafts, message_options, sealed_drafts
from webmail.drives.drive import Drive, DriveEntry, DriveError, DriveFault, LinkOrder, LinkRight, MadeLink
from webmail.models import DraftRow, User

if TYPE_CHECKING:
    from webmail.compose.drafts.fields import Fields

MOST = 10  # files at once: up to three requests each while the person waits, as long as there is time
SECONDS = 12.0  # after which no further link is begun: the person goes on with a click
UNDO_SECONDS = 3600
_FOR_ALL = (DriveFault.AWAY, DriveFault.BUSY, DriveFault.SIGN_IN, DriveFault.RIGHT_MISSING)  # the next file would meet the same
_MEANS_MORE = re.compile(r"[\\\[\]*`~<>&]|(?<!\w)_|_(?!\w)")  # in Markdown
_IN_ADDRESS = {ord(sign): f"%{ord(sign):02X}" for sign in "()\\<>[]*`"}

Describe = Callable[[MadeLink], str]  # who may do what with it


@dataclass(slots=True)
class LinkResult:
    """`failed`: names, with why there is no link; `left`: for which there was no time."""

    made: list[tuple[DriveEntry, MadeLink]] = field(default_factory=list)
    failed: list[tuple[str, DriveFault]] = field(default_factory=list)
    left: list[DriveEntry] = field(default_factory=list)

    @property
    def new(self) -> list[MadeLink]:
        """Those that were not there before, and can be taken back."""
        return [link for _entry, link in self.made if link.id]


def make(drive: Drive, chosen: Sequence[DriveEntry], order: LinkOrder, end: float = math.inf) -> LinkResult:
    """Up to two requests a file; none is begun after `end` (of time.monotonic), but for the first. Raises DriveError
    (RIGHT_MISSING) where the person has not allowed this yet."""
    result = LinkResult()
    for at, entry in enumerate(chosen):
        if at and time.monotonic() >= end:
            result.left = list(chosen[at:])
            break
        try:
            result.made.append((entry, drive.make_link(entry, order)))
        except DriveError as error:
            if error.fault is DriveFault.RIGHT_MISSING and not result.made:
                raise
            told = chosen[at:] if error.fault in _FOR_ALL else [entry]
            result.failed += [(one.name, error.fault) for one in told]
            if error.fault in _FOR_ALL:
                break
    return result


def put_in(row: DraftRow, drive: Drive, result: LinkResult, describe: Describe) -> str:
    """Put what was made into the text as it is now, below the person's own words; returns what was put there.

    Raises drafts.AlreadyLeftError and NoSuchMessageError, once the new links are taken back.
    """
    text = ""

    def changed(fields: Fields) -> Fields:
        nonlocal text
        formatted = fields.format == message_options.FORMATTED
        fresh = [_block(entry.name, link, describe(link), formatted=formatted) for entry, link in result.made]
        text = "\n\n".join(one for one in fresh if one not in fields.body)
        return replace(fields, body=identities.with_own_text(fields.body, text, row.user)) if text else fields

    try:
        drafts.change(row.user, row.id, changed, sealed_drafts.opener_of(row))
    except BaseException:
        remove(drive, result.new)
        raise
    return text


def take_out(row: DraftRow, text: str) -> None:
    """Unless the person has changed it since. Raises drafts.AlreadyLeftError, NoSuchMessageError."""

    def changed(fields: Fields) -> Fields:
        above, found, below = fields.body.partition(text)
        if not text or not found:
            return fields
        body = "\n\n".join(filter(None, [above.rstrip("\n"), below.lstrip("\n")]))
        return replace(fields, body=body)

    drafts.change(row.user, row.id, changed, sealed_drafts.opener_of(row))


def remove(drive: Drive, links: Sequence[MadeLink]) -> None:
    """Those that are gone pass. Raises DriveError at the first that can't be taken back."""
    for link in links:
        drive.remove_link(link)


def _block(name: str, link: MadeLink, right: str, *, formatted: bool) -> str:
    if not formatted:
        return f"{name}\n{link.url}\n{right}"
    shown = _MEANS_MORE.sub(lambda sign: f"\\{sign[0]}", name)
    return f"[{shown}]({link.url.translate(_IN_ADDRESS)})\n{right}"


# --- undo ------------------------------------------------------------------------------------------------------------


def to_token(row: DraftRow, connection: int, text: str, links: Sequence[MadeLink], secret: str) -> str:
    """What undo needs to know, signed: the text, and links that were made new."""
    return str(_signer(secret).dumps([row.user.id, row.id, connection, text, [[one.url, one.right, one.id] for one in links]]))


def from_token(user: User, draft_id: str, connection: int, token: str, secret: str) -> tuple[str, list[MadeLink]] | None:
    """None for one that is old, or of something else."""
    try:
        owner, draft, service, text, links = _signer(secret).loads(token, max_age=UNDO_SECONDS)
    except BadSignature:
        return None
    if (owner, draft, service) != (user.id, draft_id, connection):
        return None
    return text, [MadeLink(url, LinkRight(right), number) for url, right, number in links]


def _signer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt="drive-links-undo")
