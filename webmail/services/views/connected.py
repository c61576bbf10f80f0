"""Pages of what is connected: the list, one connection, disconnecting it."""

from __future__ import annotations

from flask import Response, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.config.connected_services import SERVICES
from webmail.errors import LimitReachedError
from webmail.late_calls import late_call
from webmail.models import ConnectedService
from webmail.services import connections, disconnection, policy, providers
from webmail.services.blueprint import blueprint
from webmail.services.providers import CALENDAR, CONTACTS, FILESENDER, ServiceProvider
from webmail.services.service_errors import StillNeededError
from webmail.services.service_texts import about_words, problem_words, rights_words
from webmail.services.views.connect import FORMS
from webmail.web.current import current_user, settings
from webmail.web.frame.page_rows import PageRow, add_rows, page_rows
from webmail.web.notices import notify
from webmail.web.rendering import page

_filesender_serves = late_call("webmail.filesender.access:serves")
add_rows(
    "services", ConnectedService, (ConnectedService.id, ConnectedService.title, ConnectedService.login),
    lambda slot: ConnectedService.user == slot("user"), group="account",
)  # fmt: skip


@blueprint.get("/services")
def index() -> Response:
    """Every service that there is, with what is connected. 1 query."""
    mine: dict[str, list[ConnectedService]] = {key: [] for key in SERVICES}
    for one in connections.for_user(current_user()):
        mine[one.provider].append(one)
    return page(
        "services/index.html", providers=[_provider(key) for key in SERVICES], connected=mine, about=about_words,
        set_up=[one.key for one in policy.set_up(settings()) if one.consent or one.key in FORMS or _has_own_page(one)],
        available=[one.key for one in policy.available(settings(), current_user()) if one.key != FILESENDER or _is_served()],
        full=sum(map(len, mine.values())) >= connections.MOST, problem_words=problem_words,
    )  # fmt: skip


def _has_own_page(provider: ServiceProvider) -> bool:
    """FileSender's form is its area's: `/services/filesender/connect`, where there is one to connect to."""
    return provider.key == FILESENDER and settings().filesender is not None


def _is_served() -> bool:
    return bool(_filesender_serves(current_user(), settings()))


@blueprint.get("/services/<int:number>")
def one(number: int) -> Response:
    connection = connections.find(current_user(), number)
    provider = _provider(connection.provider)
    return page(
        "services/one.html", connection=connection, provider=provider, rights=rights_words(connection, provider),
        problem=problem_words(connection, connection.title),
        available=policy.is_offered(provider.key, settings(), current_user()),
    )  # fmt: skip


@blueprint.post("/services/<int:number>")
def rename(number: int) -> AnyResponse:
    connection = connections.find(current_user(), number)
    title = request.form.get("title", "").replace("\0", "")[: connections.LONGEST_TITLE]
    connections.rename(connection, title)
    notify(_("It is now called “%(title)s”.", title=connection.title), "done")
    return redirect(url_for("services.one", number=number), 303)


@blueprint.get("/services/<int:number>/disconnect")
def ask_to_disconnect(number: int) -> Response:
    connection = connections.find(current_user(), number)
    provider = _provider(connection.provider)
    taken = any(provider.allows(connection.scopes, one) for one in (CALENDAR, CONTACTS)) if provider.consent else False
    return page("services/disconnect.html", connection=connection, provider=provider, taken=taken)


@blueprint.post("/services/<int:number>/disconnect")
def disconnect(number: int) -> AnyResponse:
    """`action`: keep what is here, or remove it."""
    connection = connections.find(current_user(), number)
    provider, title = _provider(connection.provider), connection.title
    keep = request.form.get("action") != "remove"
    try:
        revoked = disconnection.disconnect(connection, settings(), keep=keep, network=session.network)  # type: ignore[attr-defined]
    except (LimitReachedError, StillNeededError) as error:
        notify(_stays_words(error), "caution")
        return redirect(url_for("services.ask_to_disconnect", number=number), 303)
    if revoked is False:
        words = _("%(title)s is disconnected here, but could not be told so: end the access there too.", title=title)
        notify(words, "caution", link={"url": provider.manage, "text": _("Open %(title)s", title=provider.title)})
    else:
        notify(_("%(title)s is disconnected.", title=title), "done")
    return redirect(url_for("services.index"), 303)


def _stays_words(error: LimitReachedError | StillNeededError) -> str:
    if isinstance(error, LimitReachedError):
        return _("You have too many tasks running. Wait until one finishes.")
    return _("Other people count on events of a calendar from there, such as appointments. Keep everything, or move them first.")


@blueprint.app_template_global()
def services_are_offered() -> bool:
    """Whether the person may connect anything. 0 queries."""
    return bool(policy.available(settings(), current_user()))


@blueprint.app_template_global()
def connected_services() -> list[PageRow]:
    """`number`, the title as `text` and who it is there as `text2`. No query of its own."""
    return sorted(page_rows("services"))


def _provider(key: str) -> ServiceProvider:
    found = providers.find(key, settings())
    assert found is not None, key
    return found
