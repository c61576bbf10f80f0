"""Keys from messages: a key that came as a file is added to the person's list, and taken out again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.crypto.certificate_facts import CertificateFacts
from webmail.crypto.certificates import facts_of, split_certificates
from webmail.crypto.errors import CryptoError
from webmail.errors import NoSuchMessageError
from webmail.keys import known_certificates
from webmail.keys.blueprint import blueprint
from webmail.keys.views.current_keyring import check_here
from webmail.mail import Message, Part
from webmail.mime.headers import headers
from webmail.mime.protected import arriving_keys
from webmail.mime.protected.arriving_keys import ArrivingKey
from webmail.models import KeyOrigin
from webmail.web.current import current_account, current_user, settings
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.message_links import back_to_message
from webmail.web.notices import notify

_LARGEST = 400_000  # bytes of a file, as it is sent
_HEAD = 65_536  # bytes of a message in which the sender is looked for
_MOST_KEYS, _MOST_ADDRESSES = 5, 20
_TYPE = "application/pgp-keys"
_GENERIC = ("application/octet-stream", "text/plain", "application/x-pgp-key")
_ENDINGS = (".asc", ".key")


@dataclass(frozen=True, slots=True)
class HeaderKey:
    """A key that came in a message's header: whose it says it is, and whether the reader has it already."""

    address: str
    is_known: bool


@blueprint.app_template_global()
def holds_key(part: Part) -> bool:
    """Whether a file looks like one of keys, by its type and name: signatures have a type of their own."""
    named = part.type in _GENERIC and part.filename.lower().endswith(_ENDINGS)
    return part.size <= _LARGEST and (part.type == _TYPE or named)


@blueprint.post("/encryption/from/<int:uid>/<section>/<path:mailbox>")
def take_key_from_message(uid: int, section: str, mailbox: str) -> Response:
    """Add the keys in a part to one's list: those of the sender under their address alone. 3 round trips."""
    check_here()
    back = back_to_message(uid, mailbox)
    content, sender = _part(uid, section, mailbox)
    try:
        found = [(raw, facts_of(raw)) for raw in split_certificates(content)[:_MOST_KEYS]]
    except CryptoError:
        found = []
    found = [(raw, facts) for raw, facts in found if not facts.is_secret and facts.addresses]
    if not found:
        notify(_("There is no key in this file that can be used here."), "caution")
        return redirect(back, 303)
    before = _numbers(found)
    for raw, facts in found:
        known_certificates.note_met(current_user().id, facts, raw, _addresses(facts, sender), KeyOrigin.MET)
    _tell(found, sender, _numbers(found) - before, back)
    return redirect(back, 303)


@blueprint.app_template_global()
def header_key(message: Message) -> HeaderKey | None:
    """The sender's key in the Autocrypt header of a message, for people with keys. No query where there is none that can be used,
    else one SELECT."""
    user = current_user()
    if not message.trace.key_head or not user.has_keys or not settings().encryption or message.section:
        return None
    found = _stated(message.trace.key_head)
    if found is None:
        return None
    key, facts, _raw = found
    known = known_certificates.certificates_for(user.id, [key.address]).get(key.address, [])
    return HeaderKey(key.address, any(one.fingerprint == facts.fingerprint.upper() for one in known))


@blueprint.post("/encryption/from-header/<int:uid>/<path:mailbox>")
def take_key_from_header(uid: int, mailbox: str) -> Response:
    """Add the sender's key of the Autocrypt header to one's list, under their address alone. 1 round trip after the SELECT."""
    check_here()
    back = back_to_message(uid, mailbox)
    with imap.connect(current_account(), mailbox) as connection:
        head = imap.attached_messages.head(connection, mailbox, uid, "", uidvalidity())
    found = _stated(head)
    if found is None:
        notify(_("There is no key in this message that can be used here."), "caution")
        return redirect(back, 303)
    key, facts, raw = found
    before = _numbers([(raw, facts)])
    known_certificates.note_met(
        current_user().id, facts, raw, [key.address], KeyOrigin.AUTOCRYPT,
        at=headers.envelope(head).sent, prefers_encryption=key.prefers_encryption,
    )  # fmt: skip
    _tell([(raw, facts)], key.address, _numbers([(raw, facts)]) - before, back)
    return redirect(back, 303)


def _stated(head: bytes) -> tuple[ArrivingKey, CertificateFacts, bytes] | None:
    """The key of a header, if it is one certificate that names the sender, as all that are kept do, and has not ended."""
    key = arriving_keys.autocrypt(head)
    if key is None:
        return None
    try:
        (raw,) = split_certificates(key.data)
        facts = facts_of(raw)
    except (CryptoError, ValueError):
        return None
    ended = facts.revoked or facts.is_expired(datetime.now(UTC))
    usable = not facts.is_secret and not ended and len(raw) <= known_certificates.LARGEST_MET
    return (key, facts, raw) if usable and key.address in facts.addresses else None


@blueprint.post("/encryption/people/undo")
def undo_adding() -> Response:
    """Take out again what was just added: `numbers`, separated by spaces; `next`: where it leads on to."""
    check_here()
    numbers = [
        int(one) for one in request.form.get("numbers", "")[:500].split()[: _MOST_KEYS * _MOST_ADDRESSES] if one.isdecimal()
    ]
    taken = sum(known_certificates.forget(current_user().id, number) for number in numbers)
    words = ngettext("The key is no longer in your list.", "The keys are no longer in your list.", taken)
    notify(words if taken else _("There is nothing left to undo."), "plain")
    return redirect(local_path(request.form.get("next", "")) or url_for("keys.show_others"), 303)


def _part(uid: int, section: str, mailbox: str) -> tuple[bytes, str]:
    """The content of a part, and the address of the one sender of its message, else "". Raises NoSuchMessageError."""
    validity = uidvalidity()
    with imap.connect(current_account(), mailbox) as connection:
        part, _shape = imap.messages.find_part(connection, mailbox, uid, section, validity)
        if not holds_key(part):
            raise NoSuchMessageError(f"{mailbox}: part {section} of {uid} is no file of keys")
        content = imap.messages.part(connection, mailbox, uid, part, validity)
        head = imap.messages.raw(connection, mailbox, uid, validity, limit=_HEAD)
    senders = headers.envelope(head.partition(b"\r\n\r\n")[0]).sender
    return content, senders[0].email.lower() if len(senders) == 1 else ""


def _addresses(facts: CertificateFacts, sender: str) -> list[str]:
    """Under which a key is kept: a sender's own is not one of whomever else it names."""
    named = [one.lower() for one in facts.addresses[:_MOST_ADDRESSES]]
    return [sender] if sender in named else named


def _numbers(found: list[tuple[bytes, CertificateFacts]]) -> set[int]:
    fingerprints = {facts.fingerprint.upper() for _raw, facts in found}
    return {one.number for one in known_certificates.all_known(current_user().id) if one.fingerprint in fingerprints}


def _tell(found: list[tuple[bytes, CertificateFacts]], sender: str, added: set[int], back: str) -> None:
    """What was added, with its undo and the way to compare it; who it is of where that is not the sender."""
    whose = list(dict.fromkeys(one for _raw, facts in found for one in _addresses(facts, sender)))
    names = ", ".join(whose[:3]) + (" …" if len(whose) > 3 else "")
    if not added:
        notify(_("You already have the key of %(addresses)s.", addresses=names), "plain")
        return
    undo = (url_for("keys.undo_adding"), {"numbers": " ".join(map(str, sorted(added))), "next": back})
    link = {"url": url_for("keys.show_other", number=min(added)), "text": _("Compare the fingerprint"), "here": True}
    if sender in whose:
        notify(_("The key of %(addresses)s is in your list.", addresses=names), "done", undo=undo, link=link)
        return
    notify(
        _("The key of %(addresses)s is in your list. It is not the sender’s: compare the fingerprint before you use it.",
          addresses=names), "caution", undo=undo, link=link,
    )  # fmt: skip
