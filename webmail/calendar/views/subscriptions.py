"""Pages of subscribed calendars: adding one by its address, how it is doing, fetching it now, unsubscribing."""

from __future__ import annotations

import json

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from webmail import rate_limits
from webmail.admission import AdmissionRefusedError
from webmail.calendar.blueprint import blueprint
from webmail.calendar.files import importing
from webmail.calendar.subscriptions import rounds, subscriptions
from webmail.calendar.subscriptions.fetch import asking, fetch, host_of, typed
from webmail.calendar.subscriptions.texts import subscribing_words
from webmail.collections import leaving, look, store
from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.look import PALETTE
from webmail.errors import LimitReachedError
from webmail.models import AuditAct, CalendarSubscription
from webmail.rate_limits import QUARTER, RateLimit, TooManyRequestsError
from webmail.tasks import heartbeat
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.outside import ASKING_OUTSIDE
from webmail.web.responses.too_many import told_to_wait, with_again

_SECONDS = 10.0  # that a page waits for another server
_ASKED = RateLimit("addresses of calendars tried", 20, QUARTER)
_UNDO_SECONDS = 300


def _allowed() -> None:
    if not settings().calendar_subscriptions:
        abort(404)


@blueprint.get("/calendar/subscriptions/new")
def new_subscription() -> Response:
    _allowed()
    return _form(200, "")


@blueprint.post("/calendar/subscriptions/new")
def subscribe() -> Answer:
    """Look whether there is a calendar at this address; a small one is there at once, a large one is left to a worker."""
    _allowed()
    url, form = typed(request.form.get("address", "")[:4_000]), request.form.get("form", "")
    if not url:
        return _form(422, _("Type or paste the address of the calendar. It begins with https:// or webcal://."))
    user, host = current_user(), host_of(url)
    try:
        rate_limits.take(settings(), _ASKED.by(user.id))
    except TooManyRequestsError as error:
        return told_to_wait(_form(error.status, with_again(_("You have tried many addresses."), error)), error)
    audited(AuditAct.CALENDAR_ASKED, host)
    try:
        with ASKING_OUTSIDE.admit():
            fetched = fetch(url, asking(settings()), seconds=_SECONDS)
        found = rounds.understood(fetched.content or b"", fetched.charset)
        name = look.one_line(request.form.get("name", "")) or found.name
        place = f"subscribed-{form}" if len(form) == 16 and form.isalnum() else f"subscribed-{store.new_name()}"
        colour = request.form.get("colour", "") or found.colour
        busy = bool(request.form.get("busy"))
        made = subscriptions.subscribe(user, url, name, colour, settings(), form=place, busy=busy)
    except FollowTroubleError as trouble:
        return _form(422, subscribing_words(trouble, host))
    except AdmissionRefusedError:
        return _form(422, subscribing_words(FollowTroubleError(FollowFault.BUSY), host))
    except LimitReachedError:
        return _form(422, _("You have reached the maximum number of calendars. Remove one first."))
    small = len(found.objects) <= rounds.SMALL and importing.has_few_rules(fetched.content or b"")
    if made.succeeded is None and small:
        rounds.follow(made, settings(), lambda: fetched)
        made = subscriptions.find(user, made.collection_id) or made
    if made.succeeded is not None:
        notify(_("“%(name)s” is in your calendar.", name=_title(made)), "done")
        return redirect(url_for("calendar.show"), 303)
    return redirect(url_for("calendar.subscription", number=made.collection_id), 303)


def _form(status: int, problem: str) -> Response:
    typed_in = request.form
    return page(
        "calendar/subscribe.html", status, problem=problem, form=typed_in.get("form") or store.new_name(), palette=PALETTE,
        address=typed_in.get("address", "")[:2_000], name=typed_in.get("name", "")[:100],
        colour=look.read(typed_in.get("colour")), busy=bool(typed_in.get("busy")),
    )  # fmt: skip


def _mine(number: int) -> CalendarSubscription:
    _allowed()
    found = subscriptions.find(current_user(), number) if number < 2**31 else None
    if found is None:
        abort(404)
    return found


def _title(calendar_subscription: CalendarSubscription) -> str:
    return look.title_of(json.loads(calendar_subscription.collection.props)) or calendar_subscription.host


@blueprint.get("/calendar/subscriptions/<int:number>")
def subscription(number: int) -> Response:
    """How one is doing. `number`: the `id` of its collection. 2 queries."""
    one = _mine(number)
    waits = subscriptions.waiting(one)
    return page(
        "calendar/subscription.html", one=one, title=_title(one), waits=waits, notes=subscriptions.notes_of(one),
        nobody_works=waits and not heartbeat.is_alive(heartbeat.last_seen()), gone=one.error == FollowFault.GONE,
    )  # fmt: skip


@blueprint.post("/calendar/subscriptions/<int:number>")
def change_subscription(number: int) -> Answer:
    """`action`: fetch, save, remove."""
    one, action = _mine(number), request.form.get("action", "")
    if action == "remove":
        name = _title(one)
        undo = subscriptions.unsubscribe(one, current_user())
        if undo and one.collection.count <= rounds.SMALL:
            leaving.finish(one.collection_id)  # else a worker does, within a minute
        offered = (url_for("calendar.resubscribe"), {"undo": undo}) if undo else None
        notify(_("You no longer subscribe to “%(name)s”.", name=name), undo=offered, keep=_UNDO_SECONDS)
        return redirect(url_for("calendar.show"), 303)
    if action == "fetch":
        subscriptions.soon(one)
    elif action == "save":
        subscriptions.set_busy(one, bool(request.form.get("busy")))
        notify(_("Saved."))
    else:
        abort(400)
    return redirect(url_for("calendar.subscription", number=number), 303)


@blueprint.post("/calendar/subscriptions/undo")
def resubscribe() -> Answer:
    _allowed()
    try:
        back = subscriptions.resubscribe(current_user(), request.form.get("undo", ""), settings())
    except LimitReachedError:
        notify(_("You have reached the maximum number of calendars. Remove one first."), "caution")
        return redirect(url_for("calendar.show"), 303)
    if back is None:
        notify(_("There was nothing to undo."))
        return redirect(url_for("calendar.show"), 303)
    notify(_("Undone."))
    return redirect(url_for("calendar.subscription", number=back.collection_id), 303)


@blueprint.app_template_global()
def may_subscribe() -> bool:
    return settings().calendar_subscriptions
