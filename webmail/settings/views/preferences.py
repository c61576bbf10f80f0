"""Settings pages: the index with its search, a page of preferences, saving one or all of a page, undo; the language switch."""

from __future__ import annotations

from collections.abc import Collection

from flask import abort, g, make_response, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_babel import refresh
from werkzeug.wrappers import Response

from webmail.auth import account_management
from webmail.auth.guard import public
from webmail.compose import signatures
from webmail.filters.absence import holidays
from webmail.settings import catalogue, changes, time_zones
from webmail.settings.blueprint import blueprint
from webmail.settings.catalogue import SettingsPage
from webmail.settings.forms import PreferencesForm
from webmail.web.current import current_user, settings
from webmail.web.forms.request_values import local_path
from webmail.web.frame import look
from webmail.web.frame.establishment import offered_languages
from webmail.web.notices import notify, undone
from webmail.web.rendering import fragment, page

_LONGEST_QUERY = 100
_SIGNATURES_SHOWN = 5  # that the index leads to at once
_LOOK = {"theme", "text_size"}
_WHOLE_PAGE = {"language"}  # what no page can show in one of its parts


@blueprint.get("/settings")
def show() -> Response:
    query = " ".join(request.args.get("q", "").split())[:_LONGEST_QUERY]
    mine = tuple((one.id, one.name) for one in signatures.of_user(current_user())[:_SIGNATURES_SHOWN])
    return page("settings/index.html", query=query, found=catalogue.search(query, current_user()), signatures=mine)


@blueprint.get("/settings/<slug>")
def show_page(slug: str) -> Response:
    return _settings_page(_page(slug), _current_form())


@blueprint.post("/settings/<slug>")
def save_page(slug: str) -> Response:
    place = _page(slug)
    return _save(place, place.names)


@blueprint.post("/settings")
def save() -> Response:
    """The form of a page that was opened before there were several: takes whichever preferences it has."""
    return _save(catalogue.PAGES[0], [name for one in catalogue.PAGES for name in one.names])


@blueprint.post("/settings/undo")
def undo() -> Response:
    try:
        back = changes.undo(current_user(), request.form.get("undo", ""), settings().secret_key)
    except changes.CannotUndoError:
        return _told(_("This can no longer be undone: the setting has changed again, or too much time has passed."))
    _forget()
    if _asks_for_part():
        return _after(
            back, fragment("settings/_undone.html", form=_current_form(), names=back, url_of=catalogue.url_of, look=look.look())
        )
    undone(_("Previous setting restored."))
    return _after(back, redirect(_back(), 303))


@blueprint.post("/settings/language")
@public
def set_language() -> Response:
    """Store the language: in the visitor's cookie before sign-in, in the account afterwards."""
    chosen = request.form.get("language", "")
    if chosen in offered_languages():
        user = session.user  # type: ignore[attr-defined]
        if user is None:
            session["language"] = chosen
        else:
            account_management.set_language(user, chosen)
    return redirect(local_path(request.form.get("back", "")) or url_for("auth.login"), 303)


def _page(slug: str) -> SettingsPage:
    return catalogue.page_named(slug, current_user()) or abort(404)


def _current_form() -> PreferencesForm:
    """The form as things stand; what the administrator decides stands where nothing was chosen."""
    values = changes.current(current_user())
    values["page_size"] = values["page_size"] or settings().page_size
    values["images"] = values["images"] or settings().remote_images
    return _offering(PreferencesForm(formdata=None, data=values))


def _offering(form: PreferencesForm) -> PreferencesForm:
    """The form with what the establishment lets people choose from."""
    return form.offer_zones(holidays.zones(settings().holidays)).offer_languages(offered_languages())


def _settings_page(settings_page: SettingsPage, form: PreferencesForm, status: int = 200) -> Response:
    zones = (
        time_zones.choices()
        if "time_zone" in settings_page.names
        else time_zones.OFTEN
        if "second_zone" in settings_page.names
        else ()
    )
    return page("settings/page.html", status, place=settings_page, form=form, shown=_current_form(), zones=zones)


def _save(settings_page: SettingsPage, names: Collection[str]) -> Response:
    form = _offering(PreferencesForm())
    sent = form.sent(request.form, names)
    if not form.accepts(sent):
        return _refused(settings_page, form, sent)
    changed = changes.make(current_user(), {name: form[name].data for name in sent})
    _forget()
    value = changes.token(current_user(), changed, settings().secret_key)
    if request.form.get("only") and _asks_for_part() and not _WHOLE_PAGE & changed.keys():
        return _after(changed, fragment("settings/_saved.html", value=value, name=sent[0] if sent else "", look=look.look()))
    undo = (url_for("settings.undo"), {"undo": value, "back": settings_page.url}) if value else None
    notify(_("Settings saved."), undo=undo)
    return _after(changed, redirect(settings_page.url, 303))


def _refused(settings_page: SettingsPage, form: PreferencesForm, sent: list[str]) -> Response:
    if request.form.get("only") and _asks_for_part():
        return fragment("settings/_saved.html", 422, errors=[error for name in sent for error in form[name].errors])
    return _settings_page(settings_page, form, 422)


def _told(text: str) -> Response:
    if _asks_for_part():
        return fragment("settings/_saved.html", 409, errors=[text])
    undone(text, "caution")
    return redirect(_back(), 303)


def _after(changed: Collection[str], response: Response) -> Response:
    """The answer after a change: with the cookie of the look, and for scripts as a whole page where only that can show it."""
    named = set(changed)
    answer = make_response(response)
    if request.htmx and (_WHOLE_PAGE & named or _LOOK & named and not _asks_for_part()):  # type: ignore[attr-defined]
        answer = make_response("", 200)
        answer.headers["HX-Redirect"] = response.headers.get("Location", _back())
    if _LOOK & named:
        look.keep_for_sign_in(answer, look.look())
    return answer


def _asks_for_part() -> bool:
    """Whether a control asks, beside which the answer is shown, rather than a page."""
    return bool(request.htmx) and str(request.htmx.target or "").startswith("saved-")  # type: ignore[attr-defined]


def _back() -> str:
    return local_path(request.form.get("back", "")) or url_for("settings.show")


def _forget() -> None:
    """What this request knew of the preferences is over."""
    for name in ("preferences", "here"):
        g.pop(name, None)
    refresh()


@blueprint.app_template_global()
def settings_here() -> tuple[str, bool]:
    """The page of settings to which the one that is shown belongs, and whether it is that very page. "all": their list."""
    path = request.script_root + request.path
    if path == url_for("settings.show"):
        return "all", True
    for one in catalogue.PAGES:
        if path == one.url:
            return one.slug, True
    for one in catalogue.PAGES:
        if path.startswith(f"{one.url}/"):
            return one.slug, False
    return "", False
