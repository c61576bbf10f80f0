"""Page of the calendars and address books of a connected service: which are kept in step with those here."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.admission import AdmissionRefusedError
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.store import BOOK, CALENDAR
from webmail.dav.blueprint import blueprint
from webmail.dav.remote import accounts, service_accounts
from webmail.dav.remote.answers import FoundCollection
from webmail.dav.remote.client import RoundOverError
from webmail.dav.remote.server_texts import service_trouble_words
from webmail.models import AuditAct, ConnectedService, RemoteAccount
from webmail.services import connections, policy
from webmail.services.providers import CALENDAR as CALENDAR_PURPOSE
from webmail.services.providers import CONTACTS
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.outside import ASKING_OUTSIDE

_SECONDS = 25.0  # that a page waits for the service
Found = list[tuple[str, FoundCollection]]


@blueprint.get("/services/<int:number>/calendars")
def service_collections(number: int) -> Answer:
    return _choice(_mine(number))


@blueprint.post("/services/<int:number>/calendars")
def add_service_collections(number: int) -> Answer:
    """Keep those in step that are ticked."""
    service = _mine(number)
    wanted = set(request.form.getlist("url"))
    try:
        chosen = [(at, one) for at, one in _found(service) if one.url in wanted]
        count = service_accounts.link(service, chosen, settings())
    except FollowTroubleError as trouble:
        return _choice(service, trouble=trouble)
    except accounts.NoRoomForCollectionsError:
        words = _("You can have %(limit)s calendars and address books. Choose fewer.", limit=settings().collections_per_person)
        return _choice(service, wanted, words)
    if not count:
        return _choice(service, wanted, _("Choose at least one."))
    audited(AuditAct.OTHER_SERVER_CONNECTED, f"{service.provider} {service.login}")
    notify(ngettext("%(num)d is now synchronised.", "%(num)d are now synchronised.", count), "done")
    return redirect(url_for("dav.servers"), 303)


def _found(service: ConnectedService) -> Found:
    """Raises FollowTroubleError, also where too many pages wait for other servers already."""
    try:
        with ASKING_OUTSIDE.admit():
            return service_accounts.found_in(service, settings(), _SECONDS)
    except AdmissionRefusedError as error:
        raise FollowTroubleError(FollowFault.BUSY, service.provider) from error
    except RoundOverError as error:
        raise FollowTroubleError(FollowFault.AWAY, "too slow") from error


def _choice(
    service: ConnectedService, wanted: set[str] | None = None, problem: str = "", trouble: FollowTroubleError | None = None
) -> Response:
    found: Found = []
    kinds = service_accounts.allowed_kinds(service, settings())
    if trouble is None and kinds:
        try:
            found = _found(service)
        except FollowTroubleError as raised:
            trouble = raised
    linked = {one.url.rstrip("/") for one in accounts.links_of(accounts.of_service(service))}
    new = [one for _at, one in found if one.url.rstrip("/") not in linked]
    return page(
        "collections/service.html", 422 if problem else 200, service=service, new=new, known=len(found) - len(new),
        chosen=wanted or set(), problem=problem, kinds=kinds, missing=_missing(kinds),
        trouble=service_trouble_words(trouble.kind, service.title) if trouble else "",
    )  # fmt: skip


def _missing(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """What consent was not given for: its purpose, and the words of its button."""
    texts = {
        CALENDAR: (CALENDAR_PURPOSE, _("Allow access to calendars")), BOOK: (CONTACTS, _("Allow access to contacts")),
    }  # fmt: skip
    return [text for kind, text in texts.items() if kind not in kinds]


def _mine(number: int) -> ConnectedService:
    service = connections.find(current_user(), number)
    if service.provider not in service_accounts.PROVIDERS or not policy.is_offered(service.provider, settings(), current_user()):
        abort(404)
    return service


@blueprint.app_template_global()
def calendars_that_stay(service: ConnectedService) -> list[str]:
    """The names of calendars of a service that stay here whatever is chosen: appointments were booked in them."""
    return service_accounts.held_by_others(service)


@blueprint.app_template_global()
def synchronised_with(service: ConnectedService) -> list[RemoteAccount] | None:
    """What has calendars or contacts of a service; None where it has none to offer. 1 query."""
    return accounts.of_service(service) if service.provider in service_accounts.PROVIDERS else None
