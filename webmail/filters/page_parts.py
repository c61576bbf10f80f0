"""Page parts of filters: what they add to pages and acts of other areas. Their views come where there is something to say."""

from __future__ import annotations

import time

from flask import Flask, request, session

from webmail.contacts import store as contacts
from webmail.late_calls import late_call
from webmail.mailbox import folders
from webmail.mailbox.moves_by_hand import when_moved
from webmail.web.current import preferences, settings
from webmail.web.forms.request_values import fetched_ahead
from webmail.web.frame.banners import add_banner

MOVED = "moved"  # in the session: when a move was counted lately
LOOKED_FOR = 300  # seconds after a move; its counting is done by then
_SHOWN_ON = ("mailbox.show", "message.show")

_absence_known = late_call("webmail.filters.views.absence.absence_page:absence_known")
_archived_known = late_call("webmail.filters.views.archiving.archive_texts:archived_known")
_forwarding_known = late_call("webmail.filters.views.forwarding.forwarding_page:forwarding_known")
_suggest_filter = late_call("webmail.filters.views.moves:suggest_filter")

folders.followed_by(late_call("webmail.filters.views.archiving.archive_rules:follow_folder"))
folders.followed_by(late_call("webmail.filters.views.following:follow_folder"))
contacts.followed_by(late_call("webmail.filters.views.following:follow_contacts"))
when_moved(late_call("webmail.filters.views.moves:learn_from"))


def install(app: Flask) -> None:
    app.add_template_global(filters_are_offered)
    app.before_request(_look_for_habit)


def filters_are_offered() -> bool:
    return settings().sieve is not None


@add_banner("filters/_away.html", "away")
def _is_away() -> object:
    return preferences().absence and _absence_known()


@add_banner("filters/_archived.html", "archived")
def _was_archived() -> object:
    return preferences().archived and _archived_known()


@add_banner("filters/_forwarded.html", "forwarded")
def _is_forwarded() -> object:
    return preferences().forwarding and _forwarding_known()


def _look_for_habit() -> None:
    """On a page of mail, for some minutes after a move: 1 query there, none on other pages."""
    if request.endpoint not in _SHOWN_ON or not getattr(session, "user", None) or not session.get(MOVED) or fetched_ahead():
        return
    if request.method != "GET" or session[MOVED] < time.time() - LOOKED_FOR:
        session.pop(MOVED)
        return
    _suggest_filter()
