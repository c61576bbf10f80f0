"""Action form: parses a list's form (button, argument, selected messages); pages that ask for confirmation or more input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from werkzeug.wrappers import Response

from webmail import imap, schedule
from webmail.imap.connections.connection import Connection
from webmail.mail import Role
from webmail.mailbox import selection
from webmail.mailbox.list_request import ListRequest
from webmail.mailbox.search import search_query
from webmail.mailbox.selection import Selection
from webmail.mailbox.snooze import snooze
from webmail.tasks import store
from webmail.web.current import current_user, settings, time_zone
from webmail.web.formatting import lazy_text as _l
from webmail.web.formatting import today
from webmail.web.forms.request_values import local_path
from webmail.web.rendering import page

SELECT_FIRST = _l("Select messages first by ticking the boxes next to them.")


@dataclass(slots=True)
class ListJob:
    """A button press: the selected messages, and the button's argument after the colon (a keyword, a time)."""

    connection: Connection
    mailbox: str  # of the list
    chosen: list[Selection]
    argument: str = ""


def ask_to_destroy(job: ListJob) -> Response:
    return asking(page("mailbox/destroy.html", sure=selection.fingerprint(job.chosen), **about(job.mailbox, job.chosen)))


def pressed() -> tuple[str, str, list[str]]:
    """(action, the button's argument after the colon, values of the ticked rows).

    The star button names its own message instead: `star=flag:123`.
    """
    form = request.form
    if star := form.get("star"):
        action, _colon, row = star.partition(":")
        return action, "", [row]
    action, _colon, argument = form.get("action", "").partition(":")
    return action, argument, form.getlist("uids")


def chosen_messages(connection: Connection, mailbox: str, values: list[str]) -> list[Selection]:
    """The ticked messages, or all of the list on all its pages. 0 round trips, 2 for all."""
    form = request.form
    uidvalidity = form.get("v", 0, int)
    if "all" in form and "star" not in form:
        asked = ListRequest.parse(mailbox, form)
        query = search_query.understood(asked.query, current_user(), today())
        return selection.matching(connection, asked, query, uidvalidity)
    return selection.of_rows(mailbox, uidvalidity, values)


def unread_messages(connection: Connection, mailbox: str, _values: list[str]) -> list[Selection]:
    """All unread messages of the mailbox, regardless of ticks. 2 round trips."""
    return selection.unread(connection, mailbox, request.form.get("v", 0, int))


def back_address(mailbox: str) -> str:
    return local_path(request.form.get("back", "")) or url_for("mailbox.show", mailbox=mailbox)


def trash_name(connection: Connection) -> str:
    found = imap.mailboxes.overview(connection)
    return next((m.name for m in found.mailboxes if m.role is Role.TRASH), "")


def ask_for_more(job: ListJob, what: str, error: str = "") -> Response:
    """The page that asks for the snooze time or the export format."""
    job.connection.select(job.chosen[0].mailbox)
    return asking(
        page(
            "mailbox/choose.html",
            422 if error else 200,
            what=what,
            error=error,
            times=snooze.choices(schedule.local_now(time_zone())),
            today=schedule.local_now(time_zone()).date(),
            on_its_own=bool(settings().token_key_file),
            task=store.new_id(),
            **about(job.mailbox, job.chosen),
        )  # fmt: skip
    )


def about(mailbox: str, chosen: Sequence[Selection]) -> dict[str, Any]:
    """The context that these pages carry along: the selection as submitted, and its number of messages."""
    form = request.form
    asked = ListRequest.parse(mailbox, form)
    return {
        "mailbox": mailbox, "count": selection.count(chosen), "back": back_address(mailbox), "v": form.get("v", 0, int),
        "everything": {"all": "1", "matching": asked.query, "scope": asked.scope} if "all" in form else {},
        "values": [] if "all" in form else form.getlist("uids"),
    }  # fmt: skip


def asking(response: Response) -> Response:
    """Keep the previous URL in the address bar while something is asked: a response to a POST has none of its own."""
    response.headers["HX-Push-Url"] = "false"
    return response
