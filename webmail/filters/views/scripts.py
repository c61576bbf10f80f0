"""Scripts page: all Sieve scripts that the mail server keeps for a person, whoever wrote them, as the text they are.

Another program's script is edited here as text and never rewritten. Ours is shown only: it is made anew from the filters.
"""

from __future__ import annotations

import json

from flask import redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.guard import keeps_text
from webmail.database import undo_store
from webmail.errors import MailError, NotAllowedError
from webmail.filters import script_files
from webmail.filters.blueprint import blueprint
from webmail.filters.views.forwarding import forward_guard
from webmail.filters.views.frame import trouble_words
from webmail.managesieve import NoSuchScriptError, ScriptRefusedError
from webmail.web.current import current_account, current_user
from webmail.web.notices import notify, undone, withdraw_notices
from webmail.web.rendering import page
from webmail.web.responses.downloads import named

_OPENING = '{"script"'


@blueprint.get("/filters/scripts")
def list_scripts() -> Response:
    try:
        scripts = script_files.listed(current_account())
    except MailError as error:
        return page("filters/scripts.html", 502, trouble=trouble_words(error), scripts=())
    return page("filters/scripts.html", trouble="", scripts=scripts, is_ours=script_files.is_ours)


@blueprint.post("/filters/scripts")
def change_scripts() -> Response:
    """Activate or delete the script that `name` says; or undo that."""
    action, name = request.form.get("action", ""), request.form.get("name", "")
    user, account = current_user(), current_account()
    try:
        match action:
            case "activate" | "back":
                _activate(name, by_undo=action == "back")
            case "delete":
                text = script_files.delete(user.id, account, name)
                kept = undo_store.keep(user, json.dumps({"script": text, "name": name}))
                undo = (url_for("filters.change_scripts"), {"action": "restore", "undo": kept})
                notify(_("“%(name)s” was deleted.", name=name[:60]), undo=undo)
            case "restore":
                _restore(request.form.get("undo", ""))
    except NoSuchScriptError:
        if action != "delete":  # else a second click
            notify(_("This script is no longer there."), "caution")
    except NotAllowedError:
        notify(_("This script is in use. Activate another one before you delete it."), "caution")
    except MailError as error:
        notify(trouble_words(error), "danger")
    return redirect(url_for("filters.list_scripts"), 303)


def _activate(name: str, *, by_undo: bool) -> None:
    """Let this one run; "" for none, which only undo asks for."""
    before = next((one.name for one in script_files.listed(current_account()) if one.active), "")
    if name == before or not (name or by_undo):
        return
    script_files.activate(current_user().id, current_account(), name)
    if by_undo:
        undone()
        return
    undo = (url_for("filters.change_scripts"), {"action": "back", "name": before})
    notify(_("“%(name)s” is now active.", name=name[:60]), undo=undo)


def _restore(stored: str) -> None:
    row = undo_store.take(current_user(), stored, _OPENING)
    withdraw_notices()
    if row is None:
        notify(_("There was nothing to undo."))
        return
    steps = json.loads(row.steps)
    script_files.save(current_user().id, current_account(), steps["name"], steps["script"], "")
    notify(_("Undone."))


@blueprint.get("/filters/script")
def show_script() -> Response:
    """The script that `name` says, as text; without a name the form for a new one."""
    name = request.args.get("name", "")
    if session.get("kept", {}).get("path") == request.path:
        fields = dict(session.pop("kept")["fields"])
        notify(_("Here is what you typed. It is not saved yet."), "caution")
        return _form(fields.get("name", ""), fields.get("text", ""), fields.get("seen", ""))
    if not name:
        return _form("", "", "")
    try:
        text, active = script_files.read(current_account(), name)
    except MailError as error:
        if isinstance(error, NoSuchScriptError):
            raise
        return page("filters/scripts.html", 502, trouble=trouble_words(error), scripts=())
    if script_files.is_ours(name):
        return page("filters/script.html", name=name, lines=text.splitlines()[:20_000], active=active, ours=True)
    return _form(name, text, script_files.mark(text))


@blueprint.post("/filters/script")
@keeps_text
def save_script() -> Response:
    name, text, seen = (request.form.get(one, "") for one in ("name", "text", "seen"))
    if not script_files.is_name(name) or script_files.is_ours(name):
        return _form(name, text, seen, 422, name_error=_("Choose another name."))
    if len(text) > script_files.LONGEST:
        return _form(name, text, seen, 422, _("This script is too long."))
    forwards = forward_guard.new_in_script(name, text)
    if elsewhere := forward_guard.factor_first(forwards):
        if forward_guard.form_is_kept():
            return elsewhere
        return _form(name, text, seen, 403, forward_guard.confirm_elsewhere_words())
    try:
        saved = script_files.save(current_user().id, current_account(), name, text, seen)
    except ScriptRefusedError as error:
        words = _("The mail server does not accept this script. Nothing was changed.")
        return _form(name, text, seen, 422, words, faults=error.faults)
    except MailError as error:
        status = 502 if error.status >= 500 else error.status
        if error.status == 409:
            words = _("This script has changed on the mail server since you opened it. Copy your text, then open it again.")
        else:
            words = trouble_words(error)
        return _form(name, text, seen, status, words)
    if saved:
        forward_guard.told(forwards)
        notify(_("Script “%(name)s” saved.", name=name[:60]))
    return redirect(url_for("filters.list_scripts"), 303)


@blueprint.get("/filters/script/file")
def download_script() -> Response:
    name = request.args.get("name", "")
    text, _active = script_files.read(current_account(), name)
    return named(text.encode(), "application/sieve", f"{_file_name(name)}.sieve")


def _file_name(name: str) -> str:
    return "".join(mark if mark.isalnum() or mark in "-_ " else "_" for mark in name)[:80].strip() or "script"


def _form(
    name: str,
    text: str,
    seen: str,
    status: int = 200,
    trouble: str = "",
    *,
    faults: tuple[tuple[int, str], ...] = (),
    name_error: str = "",
) -> Response:
    lines = script_files.with_crlf(text).split("\r\n")
    shown = [(line, words, lines[line - 1][:200] if 0 < line <= len(lines) else "") for line, words in faults[:50]]
    return page(
        "filters/script.html", status, name=name, text=text, seen=seen, trouble=trouble, faults=shown, name_error=name_error,
        ours=False, rows=min(max(len(lines) + 2, 8), 30),
    )  # fmt: skip
