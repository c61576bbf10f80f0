"""The page of one phishing report: the message shown safely, where else it came, quarantine and back, its sender refused, thanks.

Of other people's mailboxes only copies of this message are shown: whose they are, with sender, subject and date.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from webmail import audit, imap
from webmail.admin.blueprint import blueprint
from webmail.admin.desk import phishing_thanks
from webmail.admin.notifications.phishing_thanks import thank
from webmail.admin.views.access import administrator
from webmail.errors import LimitReachedError, MailError
from webmail.establishments.scope import Scope
from webmail.mail import Message
from webmail.message import phishing_reports
from webmail.message.quarantine import finds, quarantine_tasks
from webmail.message.quarantine.finds import FindState
from webmail.mime.html import sanitizer
from webmail.mime.html.to_text import html_to_text
from webmail.models import AuditAct, PhishingReport, Task, now
from webmail.people import refused_senders
from webmail.people.refused_senders import OwnSenderError, UnusableSenderError
from webmail.tasks import store
from webmail.web.audit import audited
from webmail.web.current import current_user, settings, wake_system_mail
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText, task_started

BODY_CSP = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline' 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
_HREF = re.compile(r"\shref\s*=", re.I)
_LONGEST_TEXT = 20_000  # characters of the message on the page
_MOST_TICKED = 500
_WITH_PAGE = timedelta(minutes=10)  # for so long its frame belongs to the page


@blueprint.get("/reports/<int:report>")
def show_report(report: int) -> Response:
    """What was reported, read in the mailbox of who did: they gave it to read."""
    found, scope = _found(report)
    _note_read(found)
    return _page(found, scope)


def _note_read(report: PhishingReport, *, again: timedelta = timedelta(0)) -> None:
    """That an administrator looks at a message of somebody is in the audit log, once in the time `again`."""
    who, me = report.user.address, current_user()
    if report.user.id != me.id and not (again and audit.has_done(me, [AuditAct.PHISHING_READ], [who], now() - again)):
        audited(AuditAct.PHISHING_READ, who)


@blueprint.get("/reports/<int:report>/body")
def report_body(report: int) -> AnyResponse:
    """The HTML of the message, for a frame: nothing in it leads anywhere or is fetched."""
    found, _scope = _found(report)
    _note_read(found, again=_WITH_PAGE)
    try:
        account, mailbox, uid = quarantine_tasks.reported_place(found, settings())
        with imap.connect(account, mailbox) as connection:
            html = imap.messages.html(connection, mailbox, uid)[0]
    except MailError:
        abort(404)
    cleaned = sanitizer.clean(html, lambda _cid: None)
    inert = Markup(_HREF.sub(" data-to=", cleaned.html))  # noqa: S704 - it was cleaned
    response = make_response(render_template("message/body.html", html=inert, dark=False, scheme="", remote=0, cut=""))
    response.headers["Content-Security-Policy"] = BODY_CSP
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/reports/<int:report>/copies")
def act_on_copies(report: int) -> AnyResponse:
    """`action`: search, pull (all that are the same, and those ticked as `find`), pull-ticked, or return."""
    found, scope = _found(report)
    action, accounts = request.form.get("action", ""), scope.condition()
    try:
        match action:
            case "search":
                _start(quarantine_tasks.SEARCH, found)
                audited(AuditAct.PHISHING_SEARCHED, found.sender.lower())
            case "pull" | "pull-ticked":
                ticked = request.form.getlist("find", int)[:_MOST_TICKED]
                if count := finds.want(found, accounts, all_same=action == "pull", numbers=ticked):
                    _start(quarantine_tasks.PULL, found)
                    audited(AuditAct.PHISHING_PULLED, found.sender.lower(), messages=count)
                else:
                    notify(_("Nothing was moved: no message was chosen."), "caution")
            case "return":
                if count := finds.want_back(found, accounts):
                    _start(quarantine_tasks.RETURN, found)
                    audited(AuditAct.PHISHING_PUT_BACK, found.sender.lower(), messages=count)
                else:
                    notify(_("Nothing is in quarantine."), "plain")
            case _:
                abort(400)
    except LimitReachedError:
        notify(_("Too many of your tasks are under way. Wait until one has finished."), "caution")
    return _back(found)


@blueprint.post("/reports/<int:report>/thanks")
def thank_reporters(report: int) -> AnyResponse:
    """One mail to each who reported this message, once; the reports are handled with it."""
    found, scope = _found(report)
    thanked, sent = phishing_thanks.thank_all(found, scope, current_user(), thank)
    for message in sent:
        wake_system_mail(message)
    if thanked:
        audited(AuditAct.REPORTERS_THANKED, found.sender.lower(), messages=len(sent))
        notify(ngettext("%(num)d person was thanked.", "%(num)d people were thanked.", thanked))
    else:
        notify(_("Everybody was thanked before."), "plain")
    return _back(found)


@blueprint.post("/reports/<int:report>/sender")
def refuse_reported_sender(report: int) -> AnyResponse:
    """`entry`: the sender's address, or its domain. Mail from it is refused for all whom the administrator is in charge of."""
    found, scope = _found(report)
    try:
        entry, new = refused_senders.refuse(request.form.get("entry", ""), scope, current_user().address, settings())
    except OwnSenderError:
        notify(_("This is one of your own addresses. Disable the account that is misused instead."), "caution")
    except UnusableSenderError:
        notify(_("Enter an address, or a domain such as @example.com."), "caution")
    else:
        if new:
            audited(AuditAct.SENDER_REFUSED, entry)
            undo = (url_for("admin.allow_sender"), {"entry": entry, "report": found.id})
            notify(_("Mail from %(sender)s is refused from now on.", sender=entry), undo=undo)
        else:
            notify(_("Mail from %(sender)s is refused already.", sender=entry), "plain")
    return _back(found)


# --- parts -----------------------------------------------------------------------------------------------------------


def _found(number: int) -> tuple[PhishingReport, Scope]:
    scope = administrator()
    report = phishing_reports.of_scope(number, scope.condition())
    if report is None:
        abort(404)
    return report, scope


def _back(report: PhishingReport) -> AnyResponse:
    return redirect(url_for("admin.show_report", report=report.id), 303)


def _start(kind: str, report: PhishingReport) -> Task:
    task = store.start_once(current_user(), kind, {"report": report.id})
    task_started(task)
    return task


def _page(report: PhishingReport, scope: Scope) -> Response:
    accounts, number = scope.condition(), min(max(request.args.get("page", 1, int), 1), 10_000)
    message, text, problem = _message(report)
    counts = finds.counts(report, accounts)
    alike, more = finds.listing(report, accounts, same=False, page=number)
    sender = report.sender.lower()
    entries = [sender, f"@{sender.rpartition('@')[2]}"] if "@" in sender else []
    return page(
        "admin/desk/report.html", report=report, message=message, text=text, problem=problem, number=number, more=more,
        same=_by_state(counts, same=True), alike=_by_state(counts, same=False), rows=alike, states=_states(),
        together=phishing_reports.together(report, accounts), entries=entries,
        refused=refused_senders.refused_among(entries, scope), tokens=bool(settings().token_key_file),
        door=bool(settings().authserv_id), searched=bool(counts) or _was_searched(report), everything=scope.everything,
    )  # fmt: skip


def _by_state(counts: dict[tuple[bool, str], int], *, same: bool) -> dict[str, int]:
    return {str(state): counts.get((same, str(state)), 0) for state in FindState}


def _was_searched(report: PhishingReport) -> bool:
    """Whether one of the person's finished tasks looked for it."""
    return any(
        task.kind == quarantine_tasks.SEARCH and store.result_of(task).get("report") == report.id
        for task in store.listing(current_user())
    )


def _message(report: PhishingReport) -> tuple[Message | None, str, str]:
    """The message with its text, or why it can't be shown."""
    if not settings().token_key_file:
        return None, "", _("The message can’t be shown: the mail server gives this service access with passwords alone.")
    try:
        account, mailbox, uid = quarantine_tasks.reported_place(report, settings())
        with imap.connect(account, mailbox) as connection:
            message = imap.messages.fetch(connection, mailbox, uid)
            text = "\n\n".join(message.bodies.values())
            if not text.strip() and message.structure.html:
                text = html_to_text(imap.messages.html(connection, mailbox, uid)[0])
    except MailError:
        return None, "", _("The message is no longer in the mailbox of %(address)s.", address=report.user.address)
    return message, text[:_LONGEST_TEXT], ""


def _states() -> dict[str, str]:
    return {
        FindState.FOUND: _("found"),
        FindState.WANTED: _("to be moved"),
        FindState.PULLED: _("in quarantine"),
        FindState.RETURNING: _("to be put back"),
        FindState.BACK: _("put back"),
        FindState.GONE: _("no longer there"),
    }


# --- as tasks --------------------------------------------------------------------------------------------------------


def _to_report(facts: Facts) -> tuple[str, str] | None:
    return (url_for("admin.show_report", report=facts["report"]), _("Show the report")) if "report" in facts else None


def _failed(reason: str) -> str:
    return {
        quarantine_tasks.GONE: _("The report was withdrawn."),
        quarantine_tasks.NOT_ALLOWED: _("You are no longer in charge of these mailboxes."),
        quarantine_tasks.NO_TOKENS: _("The mail server gives this service access with passwords alone."),
    }.get(reason, "")


def _unreached(facts: Facts) -> str:
    count = int(facts.get("unreached", 0))
    if not count:
        return ""
    return " " + ngettext("%(num)d mailbox could not be opened.", "%(num)d mailboxes could not be opened.", count)


def _searched(facts: Facts) -> str:
    count = int(facts.get("people", 0))
    words = ngettext("%(num)d mailbox was searched.", "%(num)d mailboxes were searched.", count)
    return words + _unreached(facts)


def _moved(facts: Facts) -> str:
    return ngettext("%(num)d message was moved.", "%(num)d messages were moved.", int(facts.get("moved", 0))) + _unreached(facts)


def _text(title: Any, done: Any) -> TaskText:
    return TaskText(title=title, done=done, failed=_failed, link=_to_report)


TASK_TEXTS[quarantine_tasks.SEARCH] = _text(lambda _about: _("Looking for a phishing message in other mailboxes."), _searched)
TASK_TEXTS[quarantine_tasks.PULL] = _text(lambda _about: _("Moving a phishing message to quarantine."), _moved)
TASK_TEXTS[quarantine_tasks.RETURN] = _text(lambda _about: _("Putting messages back from quarantine."), _moved)
