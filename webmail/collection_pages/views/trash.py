"""The trash of books and calendars: what devices deleted, by batches or found by words; brought back, or deleted for good."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail.collection_pages import restore_task
from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.texts import count_words, person
from webmail.collection_pages.views.common import title
from webmail.collections import trash
from webmail.collections.trash import UNNAMED, Batch
from webmail.dav.deletion import restore as restoring
from webmail.dav.deletion.restore import Restored
from webmail.errors import LimitReachedError
from webmail.models import Collection, User
from webmail.tasks import store as tasks
from webmail.web.current import current_user, settings
from webmail.web.formatting import clock_time, local
from webmail.web.formatting import lazy_text as _l
from webmail.web.formatting import number as in_words
from webmail.web.notices import notify, withdraw_notices
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started

_BATCHES, _ITEMS = 20, 50  # on a page
_LAST_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class ShownBatch:
    """A batch in words. `who`: "You, from “iPhone”"."""

    batch: Batch
    who: str
    what: str
    end: str  # the time of the last one, where it took more than a minute


@blueprint.get("/collections/trash")
def show_trash() -> Response:
    """By batches; with `q` or `batch`, item by item."""
    user, words, batch = current_user(), request.args.get("q", "").strip()[:100], _batch()
    number = min(max(request.args.get("page", 1, int), 1), _LAST_PAGE)
    if not words and batch is None:
        total = trash.count_batches(user)
        last = max((total - 1) // _BATCHES, 0) + 1
        number = min(number, last)
        found = trash.batches(user, skip=(number - 1) * _BATCHES, most=_BATCHES)
        names = _names({one.by for one in found})
        return page("collections/trash.html", batches=[_shown_batch(one, names) for one in found], number=number, last=last)
    items, total = trash.found(user, text=words, batch=batch, skip=(number - 1) * _ITEMS, most=_ITEMS)
    last = max((total - 1) // _ITEMS, 0) + 1
    if number > last:
        return redirect(url_for("collections.show_trash", q=words or None, batch=batch, page=last), 303)  # type: ignore[return-value]
    names = _names({one.by for one in items})
    return page(
        "collections/trash_items.html", items=[(one, who(one.by, one.device, names)) for one in items], total=total, words=words,
        batch=batch, number=number, last=last,
    )  # fmt: skip


def _batch() -> int | None:
    value = request.values.get("batch", "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def _names(addresses: set[str]) -> dict[str, str]:
    rows = User.select(User.address, User.name).where(User.address.in_(list(addresses)))
    return {one.address: person(one) for one in rows}


def who(by: str, device: str, names: dict[str, str]) -> str:
    """Who deleted something, and with what."""
    if by == current_user().address:
        if not device:
            return _("You")
        return _("Your device") if device == UNNAMED else _("Your device “%(name)s”", name=device)
    name = names.get(by, by)
    return _("%(who)s, with a device", who=name) if device else name


def _shown_batch(batch: Batch, names: dict[str, str]) -> ShownBatch:
    if len(batch.kinds) == 1:
        what = count_words(batch.kinds[0], batch.count)
    else:
        what = ngettext("%(num)d contact or event", "%(num)d contacts and events", batch.count)
    began, ended = (clock_time(local(moment)) for moment in (batch.since, batch.until))
    return ShownBatch(batch, who(batch.by, batch.device, names), what, ended if ended != began else "")


@blueprint.post("/collections/trash")
def change_trash() -> Answer:
    """`action`: restore or delete what is ticked (`item`) or a `batch`; deleting for good is asked about first."""
    user, action, batch = current_user(), request.form.get("action", ""), _batch()
    numbers = [int(one) for one in request.form.getlist("item")[:500] if one.isascii() and one.isdigit() and len(one) < 19]
    back = redirect(
        url_for("collections.show_trash", q=request.form.get("q", "")[:100] or None, page=request.form.get("page", None, int),
                batch=request.form.get("shown", None, int)), 303,
    )  # fmt: skip
    whole_batch = action.endswith("-all") and batch is not None
    if batch is not None and whole_batch:
        numbers = trash.numbers_of(user, batch)
    action = action.removesuffix("-all")
    if not numbers:
        notify(_("Nothing was selected.") if not whole_batch else _("This is no longer in the trash."), "caution")
        return back
    if action == "ask":
        told = trash.numbers_of(user, batch)[:500] if whole_batch and batch is not None else numbers
        return page(
            "collections/trash_destroy.html",
            count=len(numbers),
            numbers=[] if whole_batch else told,
            batch=batch if whole_batch else None,
        )
    if action == "destroy":
        count = trash.forget(user, numbers)
        notify(ngettext("%(num)d item deleted for good.", "%(num)d items deleted for good.", count))
        return redirect(url_for("collections.show_trash"), 303)
    if action != "restore":
        abort(400)
    if whole_batch and batch is not None:
        _restore_batch(batch, numbers)
        return redirect(url_for("collections.show_trash"), 303)
    say(restoring.restore(user, numbers, settings()))
    return back


def _restore_batch(batch: int, numbers: Sequence[int]) -> None:
    """Bring back what was deleted together, and the collection that went with it. Much is left to a worker."""
    user = current_user()
    gone = trash.collection_of_batch(user, batch)
    made = restoring.restore_collection(user, gone) if gone is not None else None
    if len(numbers) > restore_task.SMALL:
        try:
            task_started(tasks.start(user, restore_task.NAME, {"batch": batch}, total=len(numbers)))
        except LimitReachedError:
            notify(_("You have too many tasks running. Wait until one finishes."), "caution")
        return
    say(restoring.restore(user, numbers, settings()), made)


@blueprint.post("/collections/trash/whole")
def restore_whole() -> Answer:
    """Bring back a book or calendar that was deleted (`whole`), with all that was in it."""
    user, number = current_user(), request.form.get("whole", "")
    gone = trash.whole(user, int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None
    if gone is None:
        notify(_("This is no longer in the trash."), "caution")
        return redirect(url_for("collections.show"), 303)
    withdraw_notices()
    numbers = trash.numbers_of(user, gone.batch)
    if numbers:
        _restore_batch(gone.batch, numbers)
    else:
        say(Restored(), restoring.restore_collection(user, gone))
    return redirect(url_for("collections.show"), 303)


def say(done: Restored, made: Collection | None = None) -> None:
    """What came back, what did not, and where it is."""
    words = []
    if made is not None:
        name = title(made.kind, _props(made))
        words.append(_("“%(name)s” is back.", name=name))
    if done.back:
        words.append(ngettext("%(num)d item restored.", "%(num)d items restored.", done.back))
    if done.moved:
        names = " ".join(
            f"“{title(one.kind, _props(one))}”" for one in Collection.select().where(Collection.id.in_(done.elsewhere))
        )
        words.append(
            ngettext(
                "%(num)d is now in %(place)s, since its own calendar or address book no longer exists.",
                "%(num)d are now in %(place)s, since their own calendar or address book no longer exists.",
                done.moved, place=names,
            )
        )  # fmt: skip
    words += _left(done.there, done.full, done.unusable)
    notify(" ".join(words) or _("This is no longer in the trash."), "caution" if done.left or not words else "done")


def _left(there: int, full: int, unusable: int) -> list[str]:
    words = []
    if there:
        words.append(
            ngettext("%(num)d was left in the trash: it already exists again.",
                     "%(num)d were left in the trash: they already exist again.", there)
        )  # fmt: skip
    if full:
        words.append(
            ngettext("%(num)d was left in the trash: there is no space for it.",
                     "%(num)d were left in the trash: there is no space for them.", full)
        )  # fmt: skip
    if unusable:
        words.append(
            ngettext(
                "%(num)d was left in the trash: it can’t be read.",
                "%(num)d were left in the trash: they can’t be read.",
                unusable,
            )
        )
    return words


def _props(row: Collection) -> dict[str, str]:
    return dict(json.loads(row.props))


def _done(result: Facts) -> str:
    back = int(result.get("back", 0))
    words = [ngettext("%(num)d item restored.", "%(num)d items restored.", back)]
    return " ".join([*words, *_left(*(int(result.get(name, 0)) for name in ("there", "full", "unusable")))])


TASK_TEXTS[restore_task.NAME] = TaskText(
    title=lambda _about: _("Restoring contacts and events."),
    done=_done,
    link=lambda _result: (url_for("collections.show"), _("Calendars and address books")),
    progress=lambda done, total: _("%(done)s of %(total)s", done=in_words(done), total=in_words(total)),
    stopped=_l("What was already restored stays where it is."),
)
