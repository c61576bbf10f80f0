"""Sender line: translated texts of the line above a message that says who sent it, with its warnings."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _

from webmail.mail import Address, Message, Summary
from webmail.message.blueprint import blueprint
from webmail.message.trust import SenderPlace, SenderWarning, Trust, TrustLevel, WarningKind
from webmail.mime.headers.authentication import AuthenticationCheck, Verdict
from webmail.mime.threats.dangerous_files import Danger
from webmail.people import impostors
from webmail.web.current import current_user, settings


@blueprint.app_template_global()
def trust_facts(trust: Trust) -> list[str]:
    """Facts about the sender, the most important first, displayed as one sentence."""
    place = {
        SenderPlace.OWN: _("you wrote this"),
        SenderPlace.INSIDE: _("inside your organisation"),
        SenderPlace.OUTSIDE: _("outside your organisation"),
        SenderPlace.NOWHERE: _("no sender address"),
    }
    claimed = trust.place is SenderPlace.INSIDE and trust.is_dangerous and not trust.genuine
    facts = [_("claims to be inside your organisation") if claimed else place[trust.place]]
    if trust.authentication.told or trust.marked or trust.place is SenderPlace.INSIDE:
        facts.append(verdict_words(trust.authentication.verdict))
    if trust.sent_by:
        facts.append(_("sent on their behalf by %(address)s", address=trust.sent_by))
    if trust.contact:
        facts.append(_("in your contacts"))
    if trust.written:
        facts.append(_("you have written to this address"))
    return facts


@blueprint.app_template_global()
def sender_names(messages: Iterable[Message]) -> dict[Address, str]:
    """The name that each sender of these messages is shown by, as in a list."""
    return _names({one for message in messages for one in message.envelope.sender})


@blueprint.app_template_global()
def row_names(rows: Iterable[Summary]) -> dict[Address, str]:
    """The same for rows."""
    return _names({one for row in rows for one in row.sender})


def _names(senders: set[Address]) -> dict[Address, str]:
    seen = impostors.appearances(current_user(), senders, settings())
    return {one: seen[one].name if one in seen else one.name for one in senders}


def verdict_words(verdict: Verdict) -> str:
    match verdict:
        case Verdict.GENUINE:
            return _("verified")
        case Verdict.FAILED:
            return _("check failed")
        case Verdict.UNVERIFIED:
            return _("not verified")


@blueprint.app_template_global()
def verdict_headline(trust: Trust) -> str:
    """What all the warnings come to, in words, so that it is not conveyed by colour alone."""
    return _("This message may be fraudulent") if trust.is_dangerous else _("Be careful with this message")


@blueprint.app_template_global()
def warning_words(warning: SenderWarning) -> str:
    """The sentence for a warning, with a capital unless it begins with what the message shows."""
    words = _warning_words(warning)
    quoted = any(words.startswith(text) for text in (warning.seen, warning.real) if text)
    return words if quoted else words[:1].upper() + words[1:]


def _warning_words(warning: SenderWarning) -> str:
    seen, real = warning.seen, warning.real
    match warning.kind:
        case WarningKind.FAILED:
            return _("your mail server’s checks show that this was not sent by %(domain)s.", domain=seen)
        case WarningKind.UNPROVEN:
            return _(
                "this message claims to come from %(address)s in your organisation, but your mail server could not confirm it.",
                address=seen,
            )
        case WarningKind.BORROWED:
            return _("this was sent from the account %(account)s, not by %(address)s.", account=real, address=seen)
        case WarningKind.REDIRECTED:
            return _(
                "%(account)s redirected this message. Nothing confirms that %(address)s wrote it.", account=real, address=seen
            )
        case WarningKind.NO_SENDER:
            return _("the message does not say who sent it.")
        case WarningKind.SEVERAL:
            return _("the message lists several senders: %(addresses)s.", addresses=seen)
        case WarningKind.SENT_FOR:
            return _("%(sender)s sent this message on behalf of %(author)s.", sender=seen, author=real)
        case WarningKind.COLLEAGUE if warning.level is TrustLevel.CAUTION and real:
            return _(
                "the name can be read as that of %(name)s (%(address)s), but the address is different.", name=seen, address=real
            )
        case WarningKind.COLLEAGUE if not real:  # whom the reader does not see in the directory
            return _("the name is that of %(name)s, of your organisation, but the address is different.", name=seen)
        case WarningKind.COLLEAGUE:
            return _("the name is that of %(name)s (%(address)s), but the address is different.", name=seen, address=real)
        case WarningKind.ESTABLISHMENT:
            return _("the sender goes by the name of %(name)s, but writes from %(address)s.", name=seen, address=real)
        case WarningKind.ROLE:
            return _("%(name)s is the name of an office, but %(address)s is not its address.", name=seen, address=real)
        case WarningKind.KNOWN_NAME:
            return _("you know %(name)s by another address: %(address)s.", name=seen, address=real)
        case WarningKind.ADDRESS_IN_NAME:
            return _("the name shows %(claimed)s, but the sender is %(address)s.", claimed=seen, address=real)
        case WarningKind.BEHALF:
            return _(
                "the name “%(name)s” claims to speak for somebody else, but the address is %(address)s.", name=seen, address=real
            )
        case WarningKind.LETTERS:
            return _(
                "the name “%(name)s” mixes letters of several alphabets; the address is %(address)s.", name=seen, address=real
            )
        case WarningKind.ALIKE:
            return _("%(seen)s looks like %(real)s, an address in your contacts, but is not the same.", seen=seen, real=real)
        case WarningKind.LOOKALIKE:
            return _("%(seen)s looks like %(real)s, but is a different domain.", seen=seen, real=real)
        case WarningKind.SCRIPTS:
            return _(
                "the domain uses letters from another alphabet that look like Latin ones; its real name is %(name)s.", name=real
            )
        case WarningKind.REPLY:
            return _("a reply would go to %(address)s, not to %(domain)s.", address=seen, domain=real)
        case WarningKind.LINK:
            return _("a link shows %(seen)s but leads to %(real)s.", seen=seen, real=real)
        case WarningKind.CREDENTIALS:
            return _("someone you don’t know is asking for a password or a code. Do not give it.")
        case WarningKind.MONEY:
            return _("someone you don’t know is asking for money. Check by phone first.")
        case _:
            return _file_words(warning.kind, seen)


def _file_words(kind: WarningKind, names: str) -> str:
    match kind:
        case WarningKind.DISGUISED:
            return _("%(names)s is a program disguised as a document. Do not open it.", names=names)
        case WarningKind.PROGRAM:
            return _("%(names)s is a program. Open it only if you were expecting it.", names=names)
        case WarningKind.SHORTCUT:
            return _("%(names)s is a shortcut that could open anything.", names=names)
        case WarningKind.DISK:
            return _("%(names)s is a disk image. These files often hide programs.", names=names)
        case WarningKind.PACKED:
            return _("%(names)s is an archive containing a program. Open it only if you were expecting it.", names=names)
        case WarningKind.LOCKED:
            return _(
                "%(names)s is password-protected, so no virus scanner could check it. Open it only if you were expecting it.",
                names=names,
            )
        case WarningKind.MACROS:
            return _("%(names)s may contain macros. Do not enable them unless you were expecting them.", names=names)
        case _:
            return _("%(names)s is a web page. Do not type a password into it.", names=names)


@blueprint.app_template_global()
def danger_words(danger: Danger, names: str) -> str:
    """The sentence for dangerous files, also for those inside other attachments."""
    return _file_words(WarningKind(danger.value), names)


@blueprint.app_template_global()
def check_words(check: AuthenticationCheck) -> tuple[str, str]:
    """(purpose of a check, its result with the domain); unknown results are shown as the server wrote them."""
    purpose = {
        "spf": _("SPF (is this server allowed to send for the domain?)"),
        "dkim": _("DKIM (the domain’s signature)"),
        "dmarc": _("DMARC (does it match the sender’s address?)"),
        "arc": _("ARC (checks made along the way)"),
        "auth": _("Sign-in (did the sender sign in to your mail server?)"),
    }
    result = {"pass": _("passed"), "fail": _("failed"), "hardfail": _("failed"), "none": _("nothing published")}
    absent = {"dkim": _("not signed"), "auth": _("no")} if check.result == "none" else {}
    words = absent.get(check.method) or result.get(check.result, check.result[:20])
    return purpose[check.method], f"{words} ({check.domain})" if check.domain else words
