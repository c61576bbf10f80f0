"""Retag: puts some tags on messages and takes others off, as one action with one undo; counts which have which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from webmail import imap
from webmail.errors import MailError
from webmail.imap.connections.connection import Connection
from webmail.mailbox import selection, tags
from webmail.mailbox.actions import ActionResult, apply_action
from webmail.mailbox.selection import Selection
from webmail.models import Tag

MOST_AT_ONCE = 200  # tags that one form may change


def retag(connection: Connection, chosen: Sequence[Selection], add: Iterable[str], remove: Iterable[str]) -> ActionResult:
    """Put the keywords `add` on the messages and take those of `remove` off: for each, what `apply_action` costs.

    The count is that of messages that changed. Raises what `apply_action` raises; an error after some messages were changed is
    in the result instead.
    """
    add, remove = list(dict.fromkeys(add)), list(dict.fromkeys(remove))
    changes = [("tag", keyword) for keyword in add] + [("untag", keyword) for keyword in remove]
    done = ActionResult("retag")
    if len(changes) == 1:
        done.action, done.keyword = changes[0]
    for name, keyword in changes:
        try:
            part = apply_action(connection, chosen, name, keyword=keyword)
        except MailError as error:
            if not done.undo:
                raise
            done.failed = error
            break
        done.undo.extend(part.undo)
        done.failed = done.failed or part.failed
    done.count = done.undo.messages()
    return done


def standing(connection: Connection, chosen: Sequence[Selection], mine: Sequence[Tag]) -> dict[str, int]:
    """On how many of the messages each tag is that could be on them: the person's own, then others that mail programs set and
    that are no notes of theirs. Selects each mailbox; 1 more round trip for each, and 5,000 messages, where tags occur."""
    counts = {tag.keyword: 0 for tag in mine}
    known = {tag.keyword.lower(): tag for tag in mine}
    for group in chosen:
        connection.select(group.mailbox, group.uidvalidity)
        used = [keyword for keyword, _tag in tags.tags_among(connection.flags, known) if not tags.is_system(keyword)]
        for piece in imap.actions.pieces(group.uids):
            for keyword, count in zip(used, imap.actions.tallies(connection, group.mailbox, piece, used), strict=True):
                counts[keyword] = counts.get(keyword, 0) + count
    return counts


def on_all(counts: dict[str, int], chosen: Sequence[Selection]) -> list[str]:
    total = selection.count(chosen)
    return [keyword for keyword, count in counts.items() if count == total]
