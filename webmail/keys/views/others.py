"""Others' keys: the list, one of them with its fingerprint to compare, and looking for the key of an address."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from webmail import rate_limits
from webmail.admission import AdmissionRefusedError
from webmail.errors import BadAddressError, MailError
from webmail.keys import key_making, known_certificates, ldap_lookup, plain_recipients, wkd_lookup
from webmail.keys.blueprint import blueprint
from webmail.keys.key_texts import refusal_words
from webmail.keys.known_certificates import KnownCertificate
from webmail.keys.views.current_keyring import check_here
from webmail.keys.wkd_lookup import LookupAwayError
from webmail.mime.headers.address_input import parse_addresses
from webmail.rate_limits import TooManyRequestsError
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import next_path
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.outside import ASKING_OUTSIDE

_PAGE = 100


@blueprint.get("/encryption/people")
def show_others() -> Response:
    """`query`: a part of a name or address; `page` from 1. 2 queries."""
    check_here()
    query = request.args.get("query", "").strip().lower()[:200]
    found = [one for one in known_certificates.all_known(current_user().id) if query in one.address or query in one.name.lower()]
    number = max(1, request.args.get("page", 1, int))
    start = (number - 1) * _PAGE
    return page(
        "keys/others.html", certificates=found[start : start + _PAGE], count=len(found), query=query, number=number,
        following=len(found) > start + _PAGE, problem="", typed="", never_for=plain_recipients.of_user(current_user().id),
    )  # fmt: skip


@blueprint.post("/encryption/people/again")
def encrypt_again() -> Response:
    """Messages to an `address` may be encrypted again."""
    check_here()
    address = request.form.get("address", "")[:320]
    if plain_recipients.remove(current_user(), address):
        notify(_("Messages to %(address)s can be encrypted again.", address=address.lower()), "done")
    return redirect(url_for("keys.show_others"), 303)


@blueprint.get("/encryption/people/<int:number>")
def show_other(number: int) -> Response:
    return page("keys/other.html", certificate=_certificate(number))


@blueprint.post("/encryption/people/<int:number>")
def change_other(number: int) -> Response:
    """`action`: check, uncheck, block, unblock, forget."""
    known, user = _certificate(number), current_user().id
    match request.form.get("action"):
        case "check" | "uncheck" as action:
            known_certificates.check(user, known.fingerprint, checked=action == "check")
            notify(_("You have checked this key.") if action == "check" else _("This key counts as not checked."), "done")
        case "block" | "unblock" as action:
            known_certificates.block(user, known.fingerprint, blocked=action == "block")
            notify(_("This key is never used.") if action == "block" else _("This key may be used again."), "done")
        case "forget":
            known_certificates.forget(user, number)
            notify(_("The key of %(address)s is removed from your list.", address=known.address), "done")
            return redirect(url_for("keys.show_others"), 303)
    return redirect(url_for("keys.show_other", number=number), 303)


@blueprint.post("/encryption/look")
def look() -> Response:
    """Look for the keys of an `address` at its own organisation; `next`: where it leads on to."""
    check_here()
    typed = request.form.get("address", "").strip()[:320]
    try:
        [one] = parse_addresses(typed)
        address = one.email.lower()
    except (BadAddressError, ValueError):
        notify(_("“%(typed)s” is not an email address.", typed=typed), "caution")
        return redirect(next_path() or url_for("keys.show_others"), 303)
    words, kind = _looked(address)
    notify(words, kind)
    return redirect(next_path() or url_for("keys.show_others", query=address), 303)


def _looked(address: str) -> tuple[str, str]:
    """What came of it, in words, and the kind of the notice."""
    user = current_user()
    colleagues = known_certificates.certificates_for(user.id, [address]).get(address, [])
    if any(one.number == 0 for one in colleagues):
        return _("%(address)s is a colleague: their own key is used by itself.", address=address), "done"
    if ldap_lookup.note_certificates(user, [address], settings()):
        return _("Found a certificate for %(address)s in the directory.", address=address), "done"
    try:
        rate_limits.take(settings(), wkd_lookup.LOOKED.by(user.id))
        with ASKING_OUTSIDE.admit():
            found = wkd_lookup.look_up(address)
    except (AdmissionRefusedError, TooManyRequestsError) as error:
        return refusal_words(error), "caution"
    except LookupAwayError:
        return _("The server of %(address)s publishes no keys, or did not answer.", address=address), "caution"
    except MailError as error:
        return refusal_words(error), "caution"
    kept = sum(bool(key_making.note_found(user, raw, facts, address)) for raw, facts in found)
    if not kept:
        return _("No key is published for %(address)s.", address=address), "caution"
    return ngettext("Found a key for %(address)s.", "Found %(num)d keys for %(address)s.", kept, address=address), "done"


def _certificate(number: int) -> KnownCertificate:
    check_here()
    found = known_certificates.find(current_user().id, number)
    if found is None:
        raise NotFound
    return found
