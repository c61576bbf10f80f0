"""Access to a public link: whether it leads anywhere, what its visitor has still to show, what they may fetch. No Flask here."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from enum import StrEnum

from webmail import rate_limits
from webmail.config.settings import Settings
from webmail.models import ContentState, StoredContent, Transfer, TransferFile, TransferRecipient, User, now
from webmail.rate_limits import QUARTER, RateLimit
from webmail.transfers import links, options, store
from webmail.transfers.options import TransferOptions
from webmail.transfers.public import grants
from webmail.transfers.public.grants import Grant, Right

UNKNOWN = RateLimit("links that lead nowhere", 60, QUARTER)  # from one network


class Need(StrEnum):
    """What is asked for before files are given out, in this order."""

    KEY = "key"  # the link was cut: the part that opens the files is missing
    SIGN_IN = "sign-in"
    PASSWORD = "password"
    CODE = "code"


@dataclass(frozen=True)
class LinkVisit:
    """Somebody at a public link. `recipient`: whose own link it is, or who has shown that they are that one."""

    transfer: Transfer
    recipient: TransferRecipient | None
    token: str
    key: bytes | None
    grant: Grant
    options: TransferOptions
    own_link: bool = False  # the recipient's, mailed to them
    by_owner: bool = False
    carried: Right = Right(0)  # what a cookie or a session says anyway, so that no address has to
    _link: str = field(default="", repr=False)

    @property
    def bare_link(self) -> str:
        """The link as it was sent, without what was granted."""
        return self._link.partition(grants.MARK)[0]

    def link_with(self, grant: Grant, settings: Settings, *, alone: bool = False) -> str:
        """The link with what of a grant no cookie carries; as it was sent, where that is nothing. `alone`: for a program, or a
        host, that has no cookie of ours.
        """
        grant = grant if alone else grant.without(self.carried)
        if not grant.rights:
            return self.bare_link
        return f"{self.bare_link}{grants.MARK}{grants.pack(grant, self.token, self.transfer, settings.secret_key)}"

    def pass_for_cookie(self, grant: Grant, settings: Settings) -> str:
        """The same as a cookie of this link."""
        return grants.pack(grant.without(~grants.PASSES), self.token, self.transfer, settings.secret_key, in_cookie=True)

    @property
    def needs(self) -> Need | None:
        """What is asked for next; None where files may be given out."""
        rights = self.grant.rights
        if self.transfer.key_check and self.key is None:
            return Need.KEY
        if self.options.signed_in_only and not rights & Right.SIGNED_IN:
            return Need.SIGN_IN
        if self.transfer.password and not rights & Right.PASSWORD:
            return Need.PASSWORD
        return Need.CODE if self.options.mail_code and not rights & Right.CODE else None

    @property
    def may_fetch(self) -> bool:
        """Whether files are given out; each once per recipient only to whom pressed the button."""
        return self.needs is None and (not self.options.once or bool(self.grant.rights & Right.CONFIRMED))

    @property
    def counts(self) -> bool:
        """Whether a download is noted: a person asked for it, and not the one who sent it."""
        return bool(self.grant.rights & Right.CONFIRMED) and not self.grant.rights & Right.OWN


class Gone(StrEnum):
    """Why a link that was once given out leads nowhere any more."""

    OVER = "over"  # past its date
    WITHDRAWN = "withdrawn"  # closed before, by whomever; its owner's account disabled, or this recipient removed


def visit(link: str, settings: Settings, user: User | None = None, cookie: str = "") -> LinkVisit | Gone | None:
    """Who comes by a link; None where there is no such link. `user`: who is signed in; `cookie`: what they have shown before.
    At most four SELECTs.
    """
    address, _mark, granted = link.partition(grants.MARK)
    token, key = links.parts(address)
    if not token:
        return None
    opened = store.by_token(token)
    if opened is None:
        return _gone(token)
    transfer, own = opened.transfer, opened.recipient
    if key is not None and not _fits(key, transfer):
        return None
    grant = grants.unpack(granted, token, transfer, settings.secret_key)
    grant, carried = _with_cookie(grant, grants.unpack(cookie, token, transfer, settings.secret_key))
    chosen = options.load(transfer)
    by_owner = user is not None and user.id == transfer.owner_id and transfer.request_id is None
    if user is not None and chosen.signed_in_only:
        grant, carried = grant.with_right(Right.SIGNED_IN), carried | Right.SIGNED_IN
    shown = _recipient_shown(transfer, own, grant, user)
    if own is not None and grant.recipient not in (0, own.id):
        grant, shown = Grant(), own
    elif grant.recipient and shown is None:  # removed meanwhile
        grant = Grant()
    return LinkVisit(transfer, shown, token, key, grant, chosen, own is not None, by_owner, carried, link)


def _with_cookie(grant: Grant, stored: Grant) -> tuple[Grant, Right]:
    """What an address and a cookie grant together, and what of it the cookie does."""
    if grant.recipient and stored.recipient and grant.recipient != stored.recipient:  # somebody else used this browser since
        return grant, Right(0)
    found = replace(grant, rights=grant.rights | stored.rights, recipient=grant.recipient or stored.recipient)
    return replace(found, until=grant.until or stored.until), stored.rights


def count_unknown(network: str, settings: Settings) -> None:
    """One more link that leads nowhere, from a network. Raises TooManyRequestsError. Links that work are never counted."""
    rate_limits.take(settings, UNKNOWN.by(network))


def file_of(visited: LinkVisit, upload: str) -> TransferFile | None:
    """A file of the transfer, with its content, by its address. One SELECT, however many there are."""
    rows = TransferFile.select(TransferFile, StoredContent).left_outer_join(StoredContent)
    found: TransferFile | None = rows.where((TransferFile.transfer == visited.transfer) & (TransferFile.upload == upload)).first()
    return found


def ready_files(files: list[TransferFile]) -> list[TransferFile]:
    """Those that can be given out: whole, and found harmless or not looked at."""
    return [file for file in files if file.content is not None and file.content.state == ContentState.READY]


def with_ticket(visited: LinkVisit, settings: Settings, *, alone: bool = False) -> str:
    """The link of somebody who has pressed the button: what it fetches is counted. `alone`: as in `link_with`."""
    grant = visited.grant.confirmed()
    if visited.by_owner:
        grant = replace(grant, rights=grant.rights | Right.OWN)
    if visited.recipient is not None:
        grant = replace(grant, recipient=visited.recipient.id)
    return visited.link_with(grant, settings, alone=alone)


def _fits(key: bytes, transfer: Transfer) -> bool:
    return bool(transfer.key_check) and hmac.compare_digest(links.link_hash(key.hex()), transfer.key_check)


def _recipient_shown(
    transfer: Transfer, own: TransferRecipient | None, grant: Grant, user: User | None
) -> TransferRecipient | None:
    """Which recipient somebody is: by their own link, by a code or ticket, or as who is signed in."""
    if own is not None:
        return own
    theirs = (TransferRecipient.transfer == transfer) & TransferRecipient.removed.is_null()
    found: TransferRecipient | None = None
    if grant.recipient:
        found = TransferRecipient.get_or_none(theirs & (TransferRecipient.id == grant.recipient))
    elif user is not None:
        found = TransferRecipient.get_or_none(theirs & (TransferRecipient.address == user.address))
    return found


def _gone(token: str) -> Gone | None:
    """Whether a token was ever given out, and what became of it. One that is still being put together was not."""
    hashed = links.link_hash(token)
    given = Transfer.published.is_null(False)
    transfer = Transfer.get_or_none((Transfer.link_hash == hashed) & given)
    if transfer is None:
        theirs = TransferRecipient.select(TransferRecipient, Transfer).join(Transfer)
        row = theirs.where((TransferRecipient.link_hash == hashed) & given).first()
        transfer = row.transfer if row is not None else None
    if transfer is None:
        return None
    past = transfer.closed_by == "date" or (not transfer.closed_by and transfer.expires <= now())
    return Gone.OVER if past else Gone.WITHDRAWN
