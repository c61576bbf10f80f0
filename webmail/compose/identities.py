"""Identities: sender names and addresses a user may write as, and their signatures in the text.

Users may send from their own address and those that the administrator allowed. This is checked three times: when an identity is
saved, when a message is queued, and by the mail server, which reads the same table.

A signature is part of the text from the moment the form opens. It is recognised only if present verbatim, so text that the user
edited is never replaced or removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import peewee as pw

from webmail.compose import signatures
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.database.idempotency import in_turn
from webmail.database.prepared import Prepared
from webmail.errors import BadAddressError, LimitReachedError, MailError, NotAllowedError
from webmail.mail import Address, Draft, Envelope, Identity
from webmail.mime import builder
from webmail.mime.headers import addresses
from webmail.models import AllowedAddress, DraftRow, Signature, User, WritingIdentity
from webmail.people import display_names, handovers

if TYPE_CHECKING:
    from webmail.compose.drafts.fields import Fields

MOST = 50  # identities per user
_FORWARDED = re.compile(r"^-{3,} .* -{3,}$", re.MULTILINE)
_QUOTED = re.compile(r"^>", re.MULTILINE)
_DASHES = re.compile(r"^-- $", re.MULTILINE)


class NotYoursError(NotAllowedError):
    """The user may not send from this address."""


class SignatureEditedError(MailError):
    """The signature in a text is not word for word one of the user's, so it is not replaced."""

    status = 409


# --- which addresses -------------------------------------------------------------------------------------------------


_addresses = Prepared(lambda slot: AllowedAddress.select(AllowedAddress.address).where(AllowedAddress.user == slot("user")))


def allowed(user: User) -> list[str]:
    """The user's own address, then those that the administrator allowed. 1 query."""
    return with_own(user, (address for (address,) in _addresses.plain(user=user.id)))


def with_own(user: User, others: Iterable[str]) -> list[str]:
    """The user's own address, then the others that were allowed."""
    return list(dict.fromkeys([user.address, *sorted(others)]))


def may_use(user: User, address: str, settings: Settings) -> bool:
    return settings.any_sender or address.lower() in allowed(user)


def check(user: User, address: str, settings: Settings) -> None:
    """Raises NotYoursError if the user may not send from this address."""
    if not may_use(user, address, settings):
        raise NotYoursError(f"{user.address} may not write as {address!r}")


def is_theirs(user: User, identity: Identity, settings: Settings) -> bool:
    """Whether readers may take name and address as proven to be the user's, whatever else the mail server lets them write.

    At most 4 queries.
    """
    return (
        identity.email.lower() in allowed(user) and display_names.objection(user, identity.name, settings, identity.email) is None
    )


# --- identities ------------------------------------------------------------------------------------------------------


_of_user = Prepared(
    lambda slot: (
        WritingIdentity.select(WritingIdentity, *signatures.COLUMNS)
        .join(Signature, pw.JOIN.LEFT_OUTER)
        .where(WritingIdentity.user == slot("user"))
        .order_by(WritingIdentity.is_default.desc(), WritingIdentity.id)
    )
)


def for_user(user: User) -> list[WritingIdentity]:
    """All identities of a user: the default, the account's own name and address, then the others as they were added. 1 query.

    The account is id 0 unless an identity has its name and address, and it is the default unless another was chosen. Without a
    name it gives way to a default of the same address, which is how such an account gets one.
    """
    rows = _of_user(user=user.id)
    own = next((row for row in rows if is_account(row, user)), None)
    chosen_one = rows[0] if rows and rows[0].is_default else None
    nameless = not user.name and chosen_one is not None and chosen_one.address == user.address.lower()
    if own is None and not nameless:
        own = WritingIdentity(id=0, user=user, name=user.name, address=user.address, is_default=chosen_one is None)
        rows.append(own)
    return sorted(rows, key=lambda row: (row is not chosen_one, row is not own))


def is_account(identity: WritingIdentity, user: User) -> bool:
    """Whether an identity has the account's own name and address, which the administrator gave."""
    return (identity.name, identity.address) == (user.name, user.address.lower())


def usable(user: User, settings: Settings, mine: Sequence[str] | None = None) -> list[WritingIdentity]:
    """The identities that the user may currently send as, the default first; never empty. `mine`: what `allowed` says, where that
    is known. 2 queries."""
    found = for_user(user)
    if settings.any_sender:
        return found
    mine = allowed(user) if mine is None else mine
    return [identity for identity in found if identity.address in mine]


def named(found: Iterable[WritingIdentity], identity_id: int | None) -> WritingIdentity | None:
    return next((identity for identity in found if identity.id == (identity_id or 0)), None)


def chosen(found: Sequence[WritingIdentity], identity_id: int | None) -> WritingIdentity:
    """The identity with this id, or the default if it no longer exists."""
    return named(found, identity_id) or found[0]


def noun(identity: WritingIdentity) -> Identity:
    return Identity(
        identity.name,
        identity.address,
        reply_to=_parsed(identity.reply_to),
        organisation=identity.organisation,
        sent_mailbox=identity.sent_mailbox,
    )


def of_draft(row: DraftRow, settings: Settings) -> Identity:
    """The identity that a draft is written as."""
    return noun(chosen(usable(row.user, settings), row.identity))


def answering(found: Sequence[WritingIdentity], envelope: Envelope) -> WritingIdentity:
    """The identity to reply as: the one that the message came from (if the user's own) or was addressed to, else the default.

    Of several with one address, the one whose name is written there too.
    """
    for address in envelope.sender + envelope.to + envelope.cc + envelope.bcc:
        if alike := [identity for identity in found if identity.address == address.email.lower()]:
            return next((identity for identity in alike if identity.name == address.name), alike[0])
    return found[0]


def matching(found: Sequence[WritingIdentity], sender: Iterable[Address], text: str) -> WritingIdentity:
    """The identity that a draft found on the server, from any mail client, was written as: by address, signature and name."""
    froms = {address.email.lower(): address.name for address in sender}
    candidates = [identity for identity in found if identity.address in froms]

    def likeness(identity: WritingIdentity) -> tuple[bool, bool]:
        return _find(text, signatures.texts(identity.signature)) is not None, identity.name == froms[identity.address]

    return max(candidates, key=likeness) if candidates else found[0]


def save(identity: WritingIdentity, settings: Settings) -> None:
    """Create or update an identity; a new default replaces the previous one.

    Raises NotYoursError, display_names.NameRefusedError, LimitReachedError.
    """
    check(identity.user, identity.address, settings)
    display_names.check(identity.user, identity.name, settings, identity.address)
    mine = WritingIdentity.user == identity.user
    identity.address = identity.address.lower()
    with db.atomic():
        if not identity.id:
            identity.id = None
            in_turn(identity.user)
            if WritingIdentity.select().where(mine).count() >= MOST:
                raise LimitReachedError(f"{identity.user.address} has {MOST} identities")
        if identity.is_default:
            WritingIdentity.update(is_default=False).where(mine).execute()
        identity.save()


def remove_address(user: User, address: str) -> None:
    """The identities with an address that is no longer allowed to somebody."""
    WritingIdentity.delete().where(WritingIdentity.user == user, WritingIdentity.address == address.lower()).execute()


def in_own_name(user: User, draft: Draft) -> Draft:
    """The draft with its writer as Sender (RFC 5322, 3.6.2), where they write for somebody whose mailbox they look after.

    1 query, none for their own address.
    """
    email = draft.identity.email.lower()
    if email == user.address or not handovers.writes_for(user, email):
        return draft
    return replace(draft, identity=replace(draft.identity, sender=Address(user.name, user.address)))


# --- signatures ------------------------------------------------------------------------------------------------------


def set_default_signature(signature: Signature, settings: Settings) -> None:
    """Give the default identity this signature if it has none."""
    identity = usable(signature.user, settings)[0]
    if identity.signature is None:
        identity.signature = signature
        save(identity, settings)


# --- in the form -----------------------------------------------------------------------------------------------------


def begun(fields: Fields, identity: WritingIdentity) -> Fields:
    """The fields of a new message with the identity's Cc, Bcc and signature added."""
    body = _signed(fields.body, identity, signatures.text_in(identity.signature, fields.format))
    return _with_copies(replace(fields, identity=identity.id, body=body), identity)


def changed(fields: Fields, before: WritingIdentity, now: WritingIdentity) -> Fields:
    """The fields after a change of identity: the previous one's Cc, Bcc and signature are replaced where unedited.

    A signature that is not the previous identity's own was chosen for this message, so it stays.
    """
    body = fields.body
    usual, text = signatures.texts(before.signature), signatures.text_in(now.signature, fields.format)
    place = _find(body, [*usual, *_texts(now.user)])
    if place and _signature_text(body, place) in usual:
        if before.signature_above == now.signature_above and text:
            body = body[: place[0]] + _block(text) + body[place[1] :]
        else:
            body = _signed(_cut(body, place), now, text)
    elif not place and not any(usual):
        body = _signed(body, now, text)
    cc, bcc = _without(fields.cc, before.cc), _without(fields.bcc, before.bcc)
    return _with_copies(replace(fields, identity=now.id, body=body, cc=cc, bcc=bcc), now)


def signed_with(fields: Fields, signature: Signature | None, identity: WritingIdentity) -> Fields:
    """The fields with this signature (None: without any) in place of the one in the text.

    Raises SignatureEditedError if that is not as any of the user's, word for word.
    """
    body = fields.body
    place = _find(body, _texts(identity.user))
    if place is None and _is_signed(body):
        raise SignatureEditedError("the signature in the text is the user's own words")
    text = signatures.text_in(signature, fields.format)
    if place and text:
        return replace(fields, body=body[: place[0]] + _block(text) + body[place[1] :])
    return replace(fields, body=_cut(body, place) if place else _signed(body, identity, text))


def signature_in(body: str, own: Sequence[Signature]) -> int | None:
    """The id of the signature in the text; 0 if there is none, None if it is not as one of these, word for word."""
    place = _find(body, [text for one in own for text in signatures.texts(one)])
    if place is None:
        return None if _is_signed(body) else 0
    return next((one.id for one in own if _signature_text(body, place) in signatures.texts(one)), None)


def fitted(body: str, user: User, wanted: str) -> str:
    """The text with the user's formatted signature, if one is there word for word, in the form for this format. 1 query."""
    own = [one for one in signatures.of_user(user) if signatures.is_formatted(one)] if "--" in body else []
    place = _find(body, [text for one in own for text in signatures.texts(one)])
    if place is None:
        return body
    signature = next(one for one in own if _signature_text(body, place) in signatures.texts(one))
    return body[: place[0]] + _block(signatures.text_in(signature, wanted)) + body[place[1] :]


def _is_signed(body: str) -> bool:
    """Whether the text has a signature of any words, outside what is quoted or forwarded."""
    forwarded = _FORWARDED.search(body)
    return bool(_DASHES.search(body[: forwarded.start()] if forwarded else body))


def unsigned(body: str, user: User) -> str:
    """The text without the user's signature, if one is present verbatim."""
    place = _find(body, _texts(user)) if "--" in body else None
    return _cut(body, place) if place else body


def end_of_own(body: str, user: User) -> int:
    """The offset where the user's own text ends: before the signature and, unless bottom-posting, before the quotation."""
    at = _quotation(body) or len(body)
    place = _find(body, _texts(user)) if "--" in body else None
    return min(at, place[0]) if place else at


def with_own_text(body: str, text: str, user: User) -> str:
    """The body with a paragraph more where the user's own text ends."""
    at = end_of_own(body, user)
    above, below = body[:at].rstrip("\n"), body[at:].lstrip("\n")
    body = "\n\n".join(filter(None, [above, text, below]))
    return body if below else f"{body}\n"


def has_words(row: DraftRow) -> bool:
    """Whether a draft holds anything beyond what the form fills in by itself."""
    if (row.to + row.subject).strip():
        return True
    if row.body.strip() and unsigned(row.body, row.user).strip():
        return True
    if not (row.cc + row.bcc).strip():
        return False
    identity = chosen(for_user(row.user), row.identity)
    return any(_without(getattr(row, name), getattr(identity, name)).strip() for name in ("cc", "bcc"))


def _texts(user: User) -> list[str]:
    """All that the user's signatures may put into a text. 1 query."""
    return [text for one in signatures.of_user(user) for text in signatures.texts(one)]


def _block(text: str) -> str:
    """The signature below its separator: two hyphens and a space on a line of their own (RFC 3676 section 4.3)."""
    return f"-- \n{text}"


def _find(body: str, texts: Iterable[str]) -> tuple[int, int] | None:
    """The span of the first of these signatures found whole with its separator, with nothing appended to it."""
    for text in sorted(filter(None, texts), key=len, reverse=True):
        if match := re.search(rf"^-- ?\n{re.escape(text)}(?=\s*\Z|\n[ \t]*\n)", body, re.MULTILINE):
            return match.span()
    return None


def _signature_text(body: str, position: tuple[int, int]) -> str:
    """The signature at this place, without its separator."""
    return body[position[0] : position[1]].partition("\n")[2]


def _cut(body: str, position: tuple[int, int]) -> str:
    above, below = body[: position[0]].rstrip("\n"), body[position[1] :].lstrip("\n")
    return f"{above}\n\n{below}" if below else f"{above}\n" if above else ""


def _signed(body: str, identity: WritingIdentity, text: str) -> str:
    """The text with this signature where the identity wants it."""
    if not text:
        return body
    at = _quotation(body) if identity.signature_above else len(body)
    if not at:  # bottom-posting: the reply goes below the quotation, the signature below the reply
        at = len(body)
    above, below = body[:at].rstrip("\n"), body[at:].lstrip("\n")
    return f"{above}\n\n{_block(text)}\n" + (f"\n{below}" if below else "")


def _quotation(body: str) -> int:
    """The offset of the quoted or forwarded message, including its attribution line; the end if there is none."""
    if forwarded := _FORWARDED.search(body):
        return forwarded.start()
    quoted = _QUOTED.search(body)
    if quoted is None:
        return len(body)
    above = body[: quoted.start()].rstrip("\n")
    introduction = above[above.rfind("\n") + 1 :]
    close = quoted.start() - len(above) <= 1  # after an empty line it is the user's text, not an attribution
    return len(above) - len(introduction) if close else quoted.start()


def _with_copies(fields: Fields, identity: WritingIdentity) -> Fields:
    """Add the identity's Cc and Bcc addresses, except those that are recipients already."""
    cc = _with(fields.cc, identity.cc, _emails(f"{fields.to}, {fields.cc}, {fields.bcc}"))
    bcc = _with(fields.bcc, identity.bcc, _emails(f"{fields.to}, {cc}, {fields.bcc}"))
    return replace(fields, cc=cc, bcc=bcc)


def _with(text: str, wanted: str, there: set[str]) -> str:
    more = [item for item in _items(wanted) if not _emails(item) & there]
    return ", ".join(filter(None, [text.strip().rstrip(",;").rstrip(), *more])) if more else text


def _without(text: str, unwanted: str) -> str:
    """An address list without the addresses of another; unchanged if it holds none of them."""
    gone = _emails(unwanted)
    kept = [item for item in _items(text) if not _emails(item) & gone]
    return ", ".join(kept) if gone and len(kept) != len(_items(text)) else text


def _items(text: str) -> list[str]:
    return [item.strip() for item in addresses.split_list(text) if item.strip()]


def _emails(text: str) -> set[str]:
    return {address.email.lower() for item in _items(text) for address in _parsed(item)}


def _parsed(text: str) -> tuple[Address, ...]:
    """The addresses, or none if the text is invalid or incomplete."""
    try:
        return builder.parse_addresses(text)
    except BadAddressError:
        return ()
