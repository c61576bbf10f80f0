"""Verdict texts: what a page says of a signature and of what was encrypted, each in one sentence and what to do."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.crypto.signatures import SignatureState
from webmail.keys.messages.opening import EncryptionState, OpenedPart, OpeningFault
from webmail.keys.messages.verdicts import SignatureVerdict, VerdictNote
from webmail.models import KeyOrigin
from webmail.web.formatting import long_date, short_date

if TYPE_CHECKING:
    from webmail.mime.protected.kept_copy import KeptSignature


def signature_words(verdict: SignatureVerdict) -> str:
    """What is so."""
    who = verdict.name or verdict.signer
    match verdict.state:
        case SignatureState.GOOD:
            return _good_words(verdict, who)
        case SignatureState.BAD:
            return _bad_words(verdict.note)
        case SignatureState.EXPIRED:
            return _("The signature was made with a key that had expired.")
        case SignatureState.REVOKED if verdict.note is VerdictNote.AUTHORITY:
            return _("The authority that vouched for the sender’s certificate has withdrawn it.")
        case SignatureState.REVOKED:
            return _("The signature was made with a key that its owner has withdrawn.")
        case SignatureState.MISMATCH:
            return _mismatch_words(verdict, who)
        case SignatureState.PARTIAL:
            return _partial_words(verdict, who)
        case SignatureState.UNKNOWN:
            return _unknown_words(verdict, who)


def signature_advice(verdict: SignatureVerdict) -> str:
    """What to do; "" where nothing."""
    match verdict.state, verdict.note:
        case SignatureState.GOOD, _any:
            return ""
        case SignatureState.BAD, VerdictNote.WEAK | VerdictNote.NOT_FOR_SIGNING | VerdictNote.UNREADABLE:
            return _("Treat this message like one that is not signed.")
        case SignatureState.BAD, _any:
            return _("Do not rely on it: ask the sender by phone, or to send it again.")
        case SignatureState.EXPIRED, _any:
            return _("Ask the sender to renew their key.")
        case SignatureState.REVOKED, _any:
            return _("The key may be in other hands. Ask the sender by phone before you act on this message.")
        case SignatureState.MISMATCH, VerdictNote.DATE:
            return _("An old message may have been sent again. Ask the sender if it matters.")
        case SignatureState.MISMATCH, _any:
            return _("Do not take it for a message from the sender shown above.")
        case SignatureState.PARTIAL, VerdictNote.STRIPPED:
            return _("Treat this message like one that is not signed.")
        case SignatureState.PARTIAL, _any:
            return _("Nothing confirms the rest, such as the footer of a mailing list.")
        case _unknown, VerdictNote.NO_KEY:
            return _("Ask the sender for their key, or look for it on the Encryption page.")
        case _unknown, VerdictNote.ISSUER:
            return _("Compare the fingerprint with the sender by phone before you rely on it.")
        case _unknown, VerdictNote.NOT_CHECKED:
            return _("Open the message again in a moment.")
        case _unknown, VerdictNote.BLOCKED:
            return _("You can use it again on the Encryption page.")
        case _unknown, VerdictNote.OTHER_KEY:
            return _("Ask the sender by phone whether they have a new key.")
        case _:
            return _("To be sure, compare the key’s fingerprint with the sender by phone.")


def _good_words(verdict: SignatureVerdict, who: str) -> str:
    known = verdict.known
    if verdict.is_own:
        return _("Signed by you.")
    if known is not None and known.checked is not None:
        return _("Signed by %(name)s, with the key you checked on %(date)s.", name=who, date=short_date(known.checked))
    if verdict.kind == "smime":
        return _("Signed by %(name)s; %(authority)s vouches for it.", name=who, authority=verdict.issuer)
    match known.origin if known else None:
        case KeyOrigin.DIRECTORY | KeyOrigin.LDAP:
            return _("Signed by %(name)s, with the key in your organisation’s directory.", name=who)
        case KeyOrigin.WKD:
            return _("Signed by %(name)s, with the key published by their mail domain.", name=who)
        case KeyOrigin.CARD:
            return _("Signed by %(name)s, with the key in your contacts.", name=who)
        case KeyOrigin.MET | KeyOrigin.AUTOCRYPT if known and known.first_met:
            return ngettext(
                "Signed by %(name)s, with the key seen in %(num)d message since %(date)s.",
                "Signed by %(name)s, with the key seen in %(num)d messages since %(date)s.",
                known.times_met, name=who, date=short_date(known.first_met),
            )  # fmt: skip
        case _:
            return _("Signed by %(name)s, with the key you added.", name=who)


def _bad_words(note: VerdictNote) -> str:
    match note:
        case VerdictNote.WEAK:
            return _("The signature uses an outdated method that proves nothing today.")
        case VerdictNote.FUTURE:
            return _("The signature claims to have been made in the future.")
        case VerdictNote.NOT_FOR_SIGNING:
            return _("The signature was made with a key that is not meant for signing.")
        case VerdictNote.UNREADABLE:
            return _("The signature can’t be read.")
        case _:
            return _("The signature does not match: this was changed after it was signed, or damaged on its way.")


def _mismatch_words(verdict: SignatureVerdict, who: str) -> str:
    if verdict.note is VerdictNote.DATE and verdict.made:
        return _("Signed by %(name)s, but on %(date)s: the message gives another date.", name=who, date=long_date(verdict.made))
    signer = verdict.signer or who
    if not signer:
        return _("The signature is not the sender’s.")
    return _("Signed by %(signer)s, who is not the sender.", signer=signer)


def _partial_words(verdict: SignatureVerdict, who: str) -> str:
    match verdict.note:
        case VerdictNote.STRIPPED:
            return _("This message says that it is signed, but its signature was removed.")
        case VerdictNote.DISPLAY:
            return _("Mail programs read this message in different ways. Only what is framed was signed by %(name)s.", name=who)
        case _:
            return _("Only the framed part is signed, by %(name)s.", name=who)


def _unknown_words(verdict: SignatureVerdict, who: str) -> str:
    match verdict.note:
        case VerdictNote.FIRST:
            return _("Signed with a key that came for the first time with this message: nothing else says that it is %(name)s’s.",
                     name=who)  # fmt: skip
        case VerdictNote.OTHER_KEY:
            return _("Signed with another key than the one %(name)s has used so far.", name=who)
        case VerdictNote.BLOCKED:
            return _("Signed with a key that you blocked.")
        case VerdictNote.ISSUER if verdict.issuer:
            return _("Signed with a certificate by %(authority)s, which is not trusted here.", authority=verdict.issuer)
        case VerdictNote.NOT_CHECKED:
            return _("The signature could not be checked just now.")
        case _:
            return _("Signed with a key that you don’t have, so nothing is proven.")


def kept_signature_words(signature: KeptSignature, made: datetime) -> str:
    """What was so when the message was kept decrypted; its signature can't be checked again without the original."""
    name, day = signature.name or signature.signer, long_date(made)
    if signature.state == SignatureState.GOOD:
        return _("Its signature by %(name)s was verified on %(date)s, when you kept it.", name=name, date=day)
    if signature.state == SignatureState.PARTIAL:
        return _("A part of it was signed by %(name)s, as verified on %(date)s, when you kept it.", name=name, date=day)
    return _("Its signature could not be confirmed on %(date)s, when you kept it: encrypt it again to see why.", date=day)


def signing_time(verdict: SignatureVerdict) -> str:
    """When it was signed, as far as that is proven; else ""."""
    if verdict.made is None or verdict.state not in (SignatureState.GOOD, SignatureState.PARTIAL):
        return ""
    return _("Signed on %(date)s", date=long_date(verdict.made))


def encryption_words(part: OpenedPart) -> str:
    """What is so with what was encrypted."""
    if part.encryption is EncryptionState.LOCKED:
        return _("Encrypted. Your keys are closed.") if part.whole else _("One part is encrypted. Your keys are closed.")
    if part.encryption is EncryptionState.DECRYPTED:
        if not part.whole:
            return _("Only the framed part was encrypted.")
        if not part.protected:
            return _("Encrypted, but not protected against alteration: shown as plain text.")
        return _("This message was encrypted for you.")
    match part.fault:
        case OpeningFault.NO_KEYS:
            return _("Encrypted, and you have no key that could open it.")
        case OpeningFault.NOT_FOR_YOU:
            return _("Encrypted for other keys than yours.")
        case OpeningFault.ALTERED:
            return _("Encrypted for you, but changed or damaged on its way: nothing of it is shown.")
        case OpeningFault.UNREADABLE:
            return _("Encrypted in a way that can’t be read here.")
        case OpeningFault.TOO_LARGE:
            return _("Encrypted, and too large to be opened here.")
        case OpeningFault.BUSY:
            return _("Encrypted. The server is too busy to open it just now.")
        case OpeningFault.MISSING:
            return _("Encrypted. Encryption isn’t set up on this server.")
        case _:
            return _("Encrypted. It could not be opened.")


def encryption_advice(part: OpenedPart) -> str:
    """What to do; "" where nothing."""
    if part.encryption is not EncryptionState.FAILED:
        return ""
    match part.fault:
        case OpeningFault.NO_KEYS:
            return _("Import your key on the Encryption page, or ask the sender to write without encryption.")
        case OpeningFault.NOT_FOR_YOU:
            return _(
                "If you have an older key, import it on the Encryption page. Otherwise ask the sender to use your current one."
            )
        case OpeningFault.ALTERED:
            return _("Ask the sender to send it again.")
        case OpeningFault.BUSY:
            return _("Open the message again in a moment.")
        case OpeningFault.MISSING:
            return _(
                "Save the message as a file and open it with another program, such as Thunderbird, or ask your administrator."
            )
        case _:
            return _("Save the message as a file and open it with another program, such as Thunderbird.")


def fingerprint_words(fingerprint: str) -> str:
    """In groups of four, as people compare them."""
    return " ".join(fingerprint[at : at + 4] for at in range(0, len(fingerprint), 4))


def difference_words(header: str) -> str:
    """That a header says another thing outside than inside: "from", "to", "subject", "date"."""
    return {
        "from": _("The protected part names another sender."),
        "to": _("The protected part names other recipients."),
        "subject": _("The subject was changed on its way. The protected one is shown."),
        "date": _("The date was changed on its way."),
    }[header]
