"""Link block: how a message names its large files: link, names, sizes, SHA-256 and date, in plain text and in HTML.

It is put in when the message is built, never into the text that is edited: where the writer's own words end, above signature and
quotation. In a copy that is opened again (in Drafts, in Sent) it is found by its form, and cut out of the text.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from webmail.compose import identities
from webmail.compose.large_files import drive_facts, filesender_calls, large_files, link_texts
from webmail.compose.large_files.link_texts import BULLET, INDENT, LinkBlock, LinkedFiles
from webmail.config.settings import Settings
from webmail.models import DraftRow, Transfer, TransferState, User
from webmail.transfers import links, store
from webmail.web.public_links import public_link

_DASHES = re.compile(r"^-- ?$", re.MULTILINE)
_LINK = re.compile(r"^https?://\S+/t/(?P<token>[A-Za-z0-9_-]{27}) *$", re.MULTILINE)
_HEAD = re.compile(r"[^\n]+: *")
_FILES = re.compile(rf"\n\n?(?:{BULLET}[^\n]+(?:\n|\Z)(?:{INDENT}\S[^\n]*(?:\n|\Z))*)+")
_MOST = 50  # blocks that are looked for in a text: anybody may have written it


def of_draft(row: DraftRow, settings: Settings, until: datetime | None = None) -> LinkBlock | None:
    """The block of a draft; None if it has no large files. `until`: when the link ends, if that is settled. 1 SELECT, 2 with
    files.
    """
    transfer = large_files.of_draft(row.id)
    found = large_files.files(transfer)
    if transfer is None or not found:
        return None
    if (choice := drive_facts.load(transfer)) is not None:
        there = [(file, choice.links[file.id]) for file in found if file.id in choice.links]
        return link_texts.written_elsewhere(row.user, row.language or "", there, settings) if there else None
    carried = LinkedFiles(
        row.user, row.language or "", _address(transfer, settings), tuple(found),
        _ends(transfer) or until or large_files.until(row, settings),
        filesender_calls.hashes(transfer, settings) if _is_handed(transfer) else {},
    )  # fmt: skip
    return link_texts.written(carried, settings)


def _is_handed(transfer: Transfer) -> bool:
    return transfer.state == TransferState.HANDED


def _ends(transfer: Transfer) -> datetime | None:
    """When FileSender ends it, where it gives it out."""
    return transfer.expires if _is_handed(transfer) else None


def _address(transfer: Transfer, settings: Settings) -> str:
    there = filesender_calls.link_of(transfer, settings) if _is_handed(transfer) else ""
    return there or public_link("transfers.show", link=store.link_token(transfer, settings))


# --- where it stands -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placed:
    """A text with a word in the block's place, which becomes the block once the text is rendered."""

    body: str
    word: str
    block: LinkBlock


def placed(row: DraftRow, block: LinkBlock) -> Placed:
    """Where the writer's own words end."""
    body = row.body
    at = identities.end_of_own(body, row.user)
    if (dashes := list(_DASHES.finditer(body, 0, at))) and ">" not in body[dashes[-1].end() : at]:
        at = dashes[-1].start()  # a signature that was edited: what stands below it would be taken for a part of it
    word = f"largefiles{secrets.token_hex(8)}"
    above, below = body[:at].rstrip("\n"), body[at:].lstrip("\n")
    return Placed("\n\n".join(part for part in (above, word, below) if part) + ("" if below else "\n"), word, block)


# --- found again -----------------------------------------------------------------------------------------------------


def found_in(text: str, owner: User) -> tuple[str, list[Transfer]]:
    """The text without the blocks of this person's own transfers, and those transfers, whatever became of them."""
    found: list[Transfer] = []
    kept, at = "", 0
    for begin, end, token in islice(_blocks(text), _MOST) if "/t/" in text else ():
        transfer = Transfer.get_or_none((Transfer.link_hash == links.link_hash(token)) & (Transfer.owner == owner))
        if transfer is None:
            continue
        found.append(transfer)
        kept += text[at:begin].rstrip("\n") + ("\n\n" if text[at:begin].strip("\n") and end < len(text) else "")
        at = end
    return (kept + text[at:], found) if found else (text, [])


def _blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """Where blocks begin and end, and the tokens of their links. In time that grows with the text alone: a pattern for all of a
    block would try each place with each.
    """
    for link in _LINK.finditer(text):
        head = text.rfind("\n", 0, max(link.start() - 1, 0)) + 1
        files = _FILES.match(text, link.end())
        if files is not None and _HEAD.fullmatch(text, head, max(link.start() - 1, 0)):
            yield head, files.end(), link["token"]
