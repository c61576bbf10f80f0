"""Current user: the signed-in user, their account, preferences and folders, cached per request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo

from flask import Response, after_this_request, current_app, g, has_request_context, request, session

from webmail import imap, vault
from webmail import preferences as preferred
from webmail.account import Account, Password
from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import (
    ServerAwayError,
    SignInRefusedError,
)
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.models import Outbox, SystemMessage, User
from webmail.preferences import Preferences
from webmail.tasks import mail_account

_PATIENCE = 4.0  # seconds to wait for the folders that a page names
_MOMENT = 1.0  # the same for what only stands beside it


def settings() -> Settings:
    """Those of the installation; where several establishments share it, those of whose page this is."""
    found = cast(Settings, current_app.extensions["settings"])
    return _own_settings(found) if found.presentation.of_domain else found


def _own_settings(shared: Settings) -> Settings:
    """Of the signed-in person's domain, of the address being typed at the sign-in page, or of the host name in the address."""
    if not has_request_context():
        return shared
    if (kept := g.get("own_settings")) is None:
        g.own_settings = shared  # meanwhile: the session asks for settings too
        kept = g.own_settings = _settings_for(shared.presentation.of_domain) or shared
    return cast(Settings, kept)


def _settings_for(of_domain: Mapping[str, Settings]) -> Settings | None:
    try:
        user = getattr(session, "user", None)
    except DATABASE_AWAY:
        user = None
    if user is not None:
        return of_domain.get(user.domain.lower())
    typed = request.form.get("username", "") if (request.method, request.path) == ("POST", "/login") else ""
    if (found := of_domain.get(typed.rpartition("@")[2].strip().lower())) is not None:
        return found
    labels = request.host.partition(":")[0].lower().split(".")
    return next((of_domain[name] for at in range(len(labels)) if (name := ".".join(labels[at:])) in of_domain), None)


def current_user() -> User:
    """The signed-in user. Only for views that need a sign-in."""
    return cast(User, session.user)  # type: ignore[attr-defined]


def current_account() -> Account:
    """The signed-in user's mail account, with the credential of this session. Raises SignInRefusedError if none is stored."""
    if "account" not in g:
        password = None if settings().token_key_file else session.password  # type: ignore[attr-defined]
        if password is None and not settings().token_key_file:
            raise SignInRefusedError("this session keeps no mail credential")
        account = settings().account(current_user().address, password=password)
        g.account = preferred.with_roles(account, current_user())
    return cast(Account, g.account)


def sealed_credential() -> bytes | None:
    """The credential for the worker to send with later, encrypted; None with token authentication."""
    credential = current_account().credential
    if not isinstance(credential, Password):
        return None
    return vault.seal_for_outbox(credential.password, settings().secret_key, current_user().id)


def task_credential(other: str = "") -> bytes | None:
    """The credential for a task on the user's mail (`tasks.store.start`), with the password of another server if there is one."""
    credential = current_account().credential
    own = credential.password if isinstance(credential, Password) else None
    return mail_account.seal(current_user(), settings(), own, other)


def wake(sent: Outbox) -> None:
    """Schedule the message with the worker; without one it is sent at the next sweep."""
    if jobs := current_app.extensions.get("jobs"):
        jobs.schedule(sent.id, sent.due)


def wake_system_mail(message: SystemMessage) -> None:
    """The same for a message of the establishment, once its row is committed."""
    if jobs := current_app.extensions.get("jobs"):
        jobs.schedule_system_mail(message.id, message.due)


def preferences() -> Preferences:
    """The signed-in user's preferences."""
    held = g._get_current_object()  # asked for dozens of times a page
    found: Preferences | None = getattr(held, "preferences", None)
    if found is None:
        found = held.preferences = preferred.for_user(current_user())
    return found


def time_zone() -> ZoneInfo:
    """The time zone of the signed-in user, else the establishment's. Needs no request, nor the database when that is away."""
    try:
        chosen = preferences().time_zone if has_request_context() and getattr(session, "user", None) else ""
    except DATABASE_AWAY:
        chosen = ""
    return ZoneInfo(chosen or settings().timezone)


def remember_overview(overview: Overview | None) -> None:
    """Cache the overview that a view has fetched (None if the server is unreachable), so that the side bar does not ask again."""
    g.overview = overview
    g.folders_listed = imap.mailboxes.listed(current_account())
    if overview is not None:
        after_the_answer(partial(imap.recount.recount_soon, current_account()))


def after_the_answer(act: Callable[[], object]) -> None:
    """Do something once the answer has gone, which nobody waits for."""

    @after_this_request
    def when_sent(response: Response) -> Response:
        response.call_on_close(act)
        return response


def overview() -> Overview | None:
    """The folders and quota, for pages that name folders: 1 round trip, 0 if the view fetched them. None if the server is
    unreachable, so that what works without is still shown.
    """
    if "overview" not in g:
        _ask_overview(_PATIENCE)
        g.setdefault("overview", None)
    return cast("Overview | None", g.overview)


def overview_beside() -> Overview | None:
    """The same for what stands beside every page, such as the side bar: 0 round trips where all was counted a moment ago.

    A page that needs no mail waits a moment at most, once in a while: then it has what was known last, and the server is asked
    again after the answer.
    """
    if "overview" in g or "beside" in g:
        return cast("Overview | None", g.get("overview", g.get("beside")))
    if not _is_counted() and _ask_overview(_MOMENT):
        return cast(Overview, g.overview)
    g.beside = _known_overview(ask_again=True)
    return cast("Overview | None", g.beside)


def overview_known() -> Overview | None:
    """The same for pages with another side bar: what is known already. The server is not asked, nor after the answer."""
    if "overview" not in g and "known" not in g:
        g.known = _known_overview(ask_again=False)
    return cast("Overview | None", g.get("overview", g.get("known")))


def _is_counted() -> bool:
    try:
        account = current_account()
    except SignInRefusedError:
        return False
    return imap.mailboxes.cached(account) is not None and not imap.recount.is_count_due(account)


def _ask_overview(seconds: float) -> bool:
    try:
        account = current_account()
        if seconds < _PATIENCE and imap.recount.is_away(account):
            return False
        with imap.connect(account, patience=seconds) as connection:
            remember_overview(imap.mailboxes.overview(connection))
    except (ServerAwayError, SignInRefusedError):
        return False
    return True


def _known_overview(*, ask_again: bool) -> Overview | None:
    """What is known of an account; which may be asked for again after the answer."""
    try:
        account = current_account()
    except SignInRefusedError:
        return None
    if ask_again:
        after_the_answer(partial(imap.recount.recount_soon, account))
    g.folders_listed = imap.mailboxes.listed(account)
    kept = imap.mailboxes.cached(account)
    return kept.found if kept else None
