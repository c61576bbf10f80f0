"""Notices: messages that the next page shows once (flash messages), optionally with Undo."""

from __future__ import annotations

import time
from typing import Any, cast

from flask import request, session
from flask_babel import gettext as _

from webmail.web.forms import double_submits
from webmail.web.forms.request_values import fetched_ahead
from webmail.web.frame.areas import page_location

UNDO_SECONDS = 45  # how long Undo is offered on the following pages


def notify(
    text: str,
    kind: str = "done",
    undo: tuple[str, dict[str, Any]] | None = None,
    keep: float | None = None,
    *,
    link: dict[str, Any] | None = None,
    poll: tuple[str, float] | None = None,
    count: float = 0,
    button: tuple[str, dict[str, Any], str] | None = None,
) -> None:
    """Queue a notice for the next page. Kinds: done, plain, caution, danger. `undo`: a URL to POST to, and its fields.

    `link` has `url` and `text`, and `here` if it opens in the same window. With scripts, what `poll` (a URL, seconds from now)
    answers takes the notice's place. `count`: the number in the text is seconds that scripts count down from. `button`: a URL to
    POST to, its fields and its words.

    With `keep` (UNDO_SECONDS where there is an `undo`) it stays on the following pages for so many seconds, or until another such
    notice replaces it; one with `undo` only on the pages of the list or area that shows it first, unless it polls. What tells
    that an undo was done takes its notice's place.
    """
    if keep is None:
        keep = UNDO_SECONDS if undo else 0
    before = session.get("notices", [])
    if kind in ("done", "plain"):
        before = _without_undone(before)
    until = time.time() + keep if keep else 0
    if keep:
        before = [notice for notice in before if not notice.get("until")]
    notice: dict[str, Any] = {"text": text, "kind": kind, "undo": undo, "until": until}
    if undo and (form := double_submits.current()):
        notice["form"] = form
    if link:
        notice["link"] = link
    if button:
        notice["button"] = button
    if poll:
        notice["poll"] = poll
    if count:
        notice["counts"] = time.time() + count
    session["notices"] = [*before, notice][-5:]


def notices() -> list[dict[str, Any]]:
    """The notices to show now; each is shown once, except those queued with `keep`. A page that is fetched ahead uses none up."""
    found = cast("list[dict[str, Any]]", session.get("notices", []))
    here = page_location().mailbox or page_location().area
    if fetched_ahead():
        return [one for one in found if _is_kept(one) and _placed(one, here) == one and one.get("place", here) == here]
    placed = [_placed(notice, here) for notice in found]
    kept = [notice for notice in placed if _is_kept(notice)]
    if kept != found:
        session["notices"] = kept
    shown = [notice for notice in placed if not notice.get("until") or (notice in kept and notice.get("place", here) == here)]
    return [{**notice, "left": round(notice["counts"] - time.time(), 1)} if "counts" in notice else notice for notice in shown]


def changes_by_itself() -> bool:
    """Whether one of the notices counts or polls, so that a page would soon show it wrongly."""
    return any(_is_kept(notice) and (notice.get("poll") or "counts" in notice) for notice in session.get("notices", []))


def _is_kept(notice: dict[str, Any]) -> bool:
    return bool(notice.get("until", 0) > time.time())


def _is_being_undone(notice: dict[str, Any]) -> bool:
    """Whether this request is the undo that the notice offers."""
    if not notice["undo"] or request.method != "POST":
        return False
    url, fields = notice["undo"]
    if url.partition("?")[0] != request.script_root + request.path:
        return False
    return all(request.form.get(name) == str(value) for name, value in fields.items())


def _without_undone(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The notices but the one whose undo this request is. The form that had done it is carried out if it is sent again."""
    for one in found:
        if "form" in one and _is_being_undone(one):
            double_submits.release(one["form"])
    return [one for one in found if not _is_being_undone(one)]


def _placed(notice: dict[str, Any], here: str) -> dict[str, Any]:
    """The notice with the place where it was shown first, if it belongs to one."""
    bound = notice["undo"] and notice.get("until") and not notice.get("poll") and "place" not in notice
    return {**notice, "place": here} if bound else notice


def withdraw_notices() -> None:
    """Remove the notices queued with `keep`, because their undo was used."""
    session["notices"] = [one for one in _without_undone(session.get("notices", [])) if not one.get("until")]


def undone(text: str = "", kind: str = "done") -> None:
    """In place of the notice that offered it: what became of the undo."""
    withdraw_notices()
    notify(text or _("Undone."), kind)
