"""Lists to act on: doors to the outside and what stays unused, of everybody whom one administers; the ticked ones at once."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.admin.watching import list_texts, lists
from webmail.admin.watching.lists import LISTS, ActList
from webmail.errors import MailError
from webmail.filters.forwarding.forward_targets import TargetRefusedError
from webmail.filters.forwarding.forward_texts import forwarding_turned_off
from webmail.filters.store import FiltersChangedError
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify, undone
from webmail.web.rendering import page

_MOST = 2**62


@blueprint.get("/lists")
def act_lists() -> Response:
    """The first one."""
    return act_list(next(iter(LISTS)))


@blueprint.get("/lists/<name>")
def act_list(name: str) -> Response:
    """Two SELECTs, or three."""
    chosen, scope = _found(name), administrator()
    after = min(max(request.args.get("after", 0, int), 0), _MOST)
    rows, more = lists.page_of(chosen, scope, after, settings())
    return page("admin/watching/list.html", name=name, rows=rows, after=after, more=more, texts=list_texts.of_lists())


@blueprint.post("/lists/<name>")
def act_on_list(name: str) -> AnyResponse:
    """On the ticked ones, a page of them at most."""
    chosen, scope = _found(name), administrator()
    numbers = {
        int(one) for one in request.form.getlist("chosen")[: lists.SIZE] if one.isascii() and one.isdigit() and len(one) < 19
    }
    back = redirect(url_for("admin.act_list", name=name), 303)
    if not numbers:
        notify(_("Nothing was chosen."), "plain")
        return back
    act = chosen.act(scope, numbers, settings())
    for address, text in act.done:
        audited(chosen.audit, address, name=text or None)
    for user, before in act.stopped:
        forwarding_turned_off(user, before)
    if act.failed:
        notify(_("The mail server did not take it for %(people)s.", people=", ".join(act.failed[:5])), "danger")
    if act.steps:
        undo = (url_for("admin.undo_list", name=name), {"undo": lists.keep(current_user(), name, act)})
        notify(ngettext("Done for %(num)d entry.", "Done for %(num)d entries.", len(act.steps)), undo=undo)
    return back


@blueprint.post("/lists/<name>/undo")
def undo_list(name: str) -> AnyResponse:
    """Take back what was done, for an hour."""
    _found(name)
    try:
        done = lists.undo(current_user(), administrator(), request.form.get("undo", "")[:32], settings())
    except (MailError, TargetRefusedError, FiltersChangedError):
        undone(_("The mail server did not take it."), "danger")
        return redirect(url_for("admin.act_list", name=name), 303)
    if done:
        for address in done.people:
            audited(LISTS[name].audit, address, undo="yes")
        undone()
    else:
        undone(_("This can no longer be undone."), "plain")
    return redirect(url_for("admin.act_list", name=name), 303)


def _found(name: str) -> ActList:
    if name not in LISTS:
        abort(404)
    return LISTS[name]
