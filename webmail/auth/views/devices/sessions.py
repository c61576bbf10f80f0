"""Sessions: the buttons of the devices page that end one session, or all others."""

from __future__ import annotations

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.sessions import sessions
from webmail.auth.sessions.cookies import visit
from webmail.auth.sessions.user_agent import describe
from webmail.auth.views.sign_out import logout
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify


@blueprint.get("/sessions")
def show_sessions() -> Response:
    """The page of before: links to it stand in mail and in bookmarks."""
    return redirect(url_for("auth.show_devices"), 302)


@blueprint.post("/sessions")
def end_sessions() -> Response:
    user, here = current_user(), visit().id
    if one := request.form.get("session"):
        if one == here:
            return logout()
        browser = next((describe(row.user_agent) for row in sessions.sessions_of(user, settings()) if row.id_hash == one), "")
        if sessions.revoke(one, user):
            audited(AuditAct.SESSION_ENDED, browser)
            notify(_("That browser is signed out."), "done")
    else:
        count = sessions.revoke_all(user, except_=here)
        visit().renew()  # a copy of this session's cookie is somewhere else too
        if count:
            audited(AuditAct.SESSIONS_ENDED, sessions=count)
        words = _("You are signed out everywhere else, including where somebody had copied this session.")
        if count:
            others = ngettext("%(num)d other browser is signed out.", "%(num)d other browsers are signed out.", count)
            words = f"{others} {words}"
        notify(words, "done")
    return redirect(url_for("auth.show_devices"), 303)
