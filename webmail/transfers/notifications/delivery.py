"""Delivery of notifications: puts mail about large files into the queue of system mail, each once: its row is claimed with it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import render_template

from webmail import system_mail
from webmail.config.settings import Settings
from webmail.database.again import begun_again
from webmail.database.connection import db
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import ContentState, SystemMessage, Transfer, TransferFile, User
from webmail.transfers import links, options, store
from webmail.transfers.notifications import texts
from webmail.transfers.notifications.texts import FilesLetter
from webmail.web.formatting import written_in
from webmail.web.public_links import public_link

log = logging.getLogger(__name__)

TO_OTHERS, TO_OWNER = "files", "files-owner"  # kinds of system mail


class _NotNowError(Exception):
    """Somebody else writes it, or its recipient had too many in a day: nothing is claimed."""


@dataclass(frozen=True, slots=True)
class Post:
    """Whom a letter goes to."""

    to: str
    kind: str
    language: str
    reply_to: str = ""
    dedup: str = ""


def to_owner(transfer: Transfer, settings: Settings) -> Post:
    return Post(transfer.owner.address, TO_OWNER, system_mail.in_language_of(transfer.owner, settings))


def to_recipient(transfer: Transfer, address: str, settings: Settings) -> Post:
    """Answers go to the sender, unless their address is hidden. People with an account here read their own language."""
    known = User.get_or_none(User.address == address)
    language = (known.language or known.spoken if known is not None else "") or transfer.language or settings.language
    reply_to = "" if options.load(transfer).hide_address else transfer.owner.address
    return Post(address, TO_OTHERS, language, reply_to)


def queue_once(
    post: Post,
    make: Callable[[], FilesLetter],
    acquire: Callable[[], bool],
    settings: Settings,
    after: Callable[[], object] | None = None,
) -> SystemMessage | None:
    """Queue a letter if `acquire` says that nobody else does; `after` belongs to the same transaction. What can't be addressed at
    all is claimed too, or it would be tried for ever.
    """
    with written_in(post.language):
        letter = make()
        html = render_template("transfers/notifications/letter.html", letter=letter)
        text = texts.text_of(letter)

    @begun_again
    def queue() -> SystemMessage | None:
        with db.atomic():
            if not acquire():
                raise _NotNowError
            row = _queued(post, letter, text, html if len(html) <= system_mail.LONGEST_BODY else "", settings)
            if after is not None:
                after()
            return row

    try:
        return queue()
    except _NotNowError:
        return None


def _queued(post: Post, letter: FilesLetter, text: str, html: str, settings: Settings) -> SystemMessage | None:
    secret = settings.secret_key  # links open files: a copy of the database must not tell them
    try:
        row = system_mail.send(
            post.to, post.kind, letter.subject[: system_mail.LONGEST_SUBJECT], text[: system_mail.LONGEST_BODY], post.language,
            post.dedup, secret_key=secret, html=html, reply_to=post.reply_to,
        )  # fmt: skip
    except (BadAddressError, UnsafeValueError, ValueError) as error:
        log.warning("a letter about large files can't be written to %s: %s", post.to, error)
        return None
    if row is None:
        raise _NotNowError
    return row


def address_of(token: str, link_key: bytes | None = None) -> str:
    """The public address of a token."""
    return public_link("transfers.show", link=token if link_key is None else f"{token}.{links.packed_key(link_key)}")


def own_page(transfer: Transfer) -> str:
    return public_link("transfers.one", number=transfer.id)


def are_ready(files: Sequence[TransferFile]) -> bool:
    """Whether there are files, and all can be downloaded."""
    return bool(files) and all(one.content is not None and one.content.state == ContentState.READY for one in files)


def is_mailed(transfer: Transfer, link_key: bytes | None) -> bool:
    """Whether its link can be mailed here and now: we must have the key, if the link holds it."""
    if transfer.end_to_end or not store.is_offered(transfer):
        return False
    return not transfer.key_check or link_key is not None
