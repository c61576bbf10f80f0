"""Undo of what was saved to a drive: by a task, since another server is asked."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.drives import drive_texts, saving
from webmail.drives.blueprint import blueprint
from webmail.errors import LimitReachedError
from webmail.tasks import store
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started


@blueprint.post("/drives/undo")
def undo_saving() -> Response:
    """Delete what a task saved, unless it was changed there since."""
    try:
        task = store.find(current_user(), request.form.get("task", "")[:32])
        task_started(store.start_once(current_user(), saving.UNDO, {"task": task.id}))
    except store.NoSuchTaskError:
        notify(_("There was nothing to undo."))
    except LimitReachedError:
        notify(_("You have too many tasks running. Wait until one finishes."), "caution")
    return redirect(url_for("accounts.tasks"), 303)


def _deleted(result: Facts) -> str:
    words = [ngettext("%(num)d file deleted there.", "%(num)d files deleted there.", result["deleted"])]
    if result["kept"]:
        words.append(
            ngettext(
                "%(num)d was changed there, or may not be deleted, and was kept.",
                "%(num)d were changed there, or may not be deleted, and were kept.",
                result["kept"],
            )  # fmt: skip
        )
    return " ".join(words)


TASK_TEXTS[saving.UNDO] = TaskText(
    title=lambda _about: _("Deleting files that were saved to another server."),
    done=_deleted,
    failed=drive_texts.failed_words,
)
