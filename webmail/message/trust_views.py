"""The line above a message that says who wrote it, in words."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.message.trust import Kind, Level, Place, Trust, Warning
from webmail.message.views import blueprint
from webmail.mime.authentication import Check, Verdict
from webmail.mime.dangerous import Danger


@blueprint.app_template_global()
def trust_facts(trust: Trust) -> list[str]:
    """What is said in any case, most important first; a person reads them as one sentence."""
    place = {
        Place.OWN: _("you wrote this"),
        Place.INSIDE: _("inside your establishment"),
        Place.OUTSIDE: _("outside your establishment"),
        Place.NOWHERE: _("no sender's address"),
    }
    facts = [place[trust.place]]
    if trust.authentication.told:
        facts.append(verdict_words(trust.authentication.verdict))
    if trust.contact:
        facts.append(_("in your contacts"))
    if trust.written:
        facts.append(_("you have written to this address"))
    if trust.first:
        facts.append(
            _("no recent message from this address in this folder")
            if trust.recent
            else _("first message from this address in this folder")
        )
    return facts


def verdict_words(verdict: Verdict) -> str:
    match verdict:
        case Verdict.GENUINE:
            return _("genuine")
        case Verdict.FAILED:
            return _("check failed")
        case Verdict.UNVERIFIED:
            return _("not verified")


@blueprint.app_template_global()
def level_word(level: Level) -> str:
    """So that colour alone never tells."""
    return {Level.CALM: "", Level.CAUTION: _("Caution:"), Level.DANGER: _("Danger:")}[level]


@blueprint.app_template_global()
def warning_words(warning: Warning) -> str:
    """One sentence: what was seen, and what it means."""
    seen, real = warning.seen, warning.real
    match warning.kind:
        case Kind.FAILED:
            return _("the checks of your mail server say that this was not sent by %(domain)s.", domain=seen)
        case Kind.UNPROVEN:
            return _("the address is one of your establishment, but your mail server could not verify it.")
        case Kind.NO_SENDER:
            return _("the message does not say who sent it.")
        case Kind.SEVERAL:
            return _("the message names several senders: %(addresses)s.", addresses=seen)
        case Kind.COLLEAGUE:
            return _("this is the name of %(name)s (%(address)s), but another address.", name=seen, address=real)
        case Kind.KNOWN_NAME:
            return _("you know %(name)s under another address: %(address)s.", name=seen, address=real)
        case Kind.ADDRESS_IN_NAME:
            return _("the name shows %(claimed)s, but the sender is %(address)s.", claimed=seen, address=real)
        case Kind.ALIKE:
            return _("%(seen)s looks like %(real)s, an address of your contacts, but is not.", seen=seen, real=real)
        case Kind.LOOKALIKE:
            return _("%(seen)s looks like %(real)s, but is not.", seen=seen, real=real)
        case Kind.SCRIPTS:
            return _("the domain imitates Latin letters by those of another alphabet; its true name is %(name)s.", name=real)
        case Kind.REPLY:
            return _("an answer would go to %(address)s, not to %(domain)s.", address=seen, domain=real)
        case Kind.LINK:
            return _("a link shows %(seen)s but leads to %(real)s.", seen=seen, real=real)
        case Kind.CREDENTIALS:
            return _("somebody who never wrote to you here asks for a password or a code. Give none.")
        case Kind.MONEY:
            return _("somebody who never wrote to you here asks for money. Check by telephone first.")
        case _:
            return _file_words(warning.kind, seen)


def _file_words(kind: Kind, names: str) -> str:
    match kind:
        case Kind.DISGUISED:
            return _("%(names)s is a program disguised as a document. Do not open it.", names=names)
        case Kind.PROGRAM:
            return _("%(names)s is a program. Open it only if you expected it.", names=names)
        case Kind.SHORTCUT:
            return _("%(names)s is a shortcut that may open anything.", names=names)
        case Kind.DISK:
            return _("%(names)s is a disk image, which often hides programs.", names=names)
        case Kind.PACKED:
            return _("%(names)s is an archive with a program in it. Open it only if you expected it.", names=names)
        case Kind.LOCKED:
            return _(
                "%(names)s is closed by a password, so that no virus scanner could look into it. Open it only if expected.",
                names=names,
            )
        case Kind.MACROS:
            return _("%(names)s may contain macros. Do not enable them unless you expected them.", names=names)
        case _:
            return _("%(names)s is a web page. Type no password into it.", names=names)


@blueprint.app_template_global()
def danger_words(danger: Danger, names: str) -> str:
    """One sentence about files, wherever they lie."""
    return _file_words(Kind(danger.value), names)


@blueprint.app_template_global()
def check_words(check: Check) -> tuple[str, str]:
    """What a check is for, and its result: the server's word, with ours before it."""
    purpose = {
        "spf": _("SPF (may this server send for the domain?)"),
        "dkim": _("DKIM (the domain's signature)"),
        "dmarc": _("DMARC (does it fit the sender's address?)"),
        "arc": _("ARC (checks made on the way)"),
    }
    result = {"pass": _("passed"), "fail": _("failed"), "hardfail": _("failed"), "none": _("nothing published")}
    words = result.get(check.result, check.result[:20])
    return purpose[check.method], f"{words} ({check.domain})" if check.domain else words
