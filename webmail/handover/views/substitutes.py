"""Substitutes: who looks after my mail, and whose mail I look after."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.auth import account_management
from webmail.auth.guard import asks_again
from webmail.auth.sessions.cookies import visit
from webmail.errors import NotAllowedError
from webmail.handover import access, copy_task, copying, handover_texts, steps
from webmail.handover.blueprint import blueprint
from webmail.handover.handover_terms import HandoverForm
from webmail.models import HandoverState, MailboxHandover
from webmail.people import handovers
from webmail.people.handovers import HandoverRefusedError
from webmail.web.current import current_user, settings
from webmail.web.formatting import number as number_words
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.texts.task_texts import TASK_TEXTS, Facts, TaskText


@blueprint.before_request
def only_where_possible() -> None:
    if not access.is_possible(settings()):
        abort(404)


@blueprint.get("/account/substitutes")
@asks_again
def show() -> Response:
    return _page(HandoverForm.empty())


@blueprint.post("/account/substitutes")
@asks_again
def name_substitute() -> AnyResponse:
    form, me = HandoverForm.typed(request.form), current_user()
    terms = form.read()
    if terms is None:
        return _page(form, 422)
    person = account_management.find(form.person, me.domain)
    try:
        made = steps.ask(me, person, me, terms, settings(), visit().network)
    except HandoverRefusedError as error:
        form.errors[handover_texts.field_of(error.doubt)] = handover_texts.doubt_words(error.doubt)
        return _page(form, 422)
    notify(handover_texts.agreed_words(made))
    return _back()


@blueprint.post("/account/substitutes/<int:number>")
@asks_again
def decide(number: int) -> AnyResponse:
    """`action`: accept or decline what others asked for, as the owner; end it, as either of both."""
    handover, me = _found(number), current_user()
    action, own = request.form.get("action"), handover.owner_id == me.id
    if action == "end":
        done = steps.end(handover, me, settings(), visit().network)
        words = _("Ended: %(person)s can no longer see this mailbox.", person=handover.person.name or handover.person.address)
    elif action == "accept" and own:
        done, words = steps.agree(handover, me, settings(), visit().network), ""
        words = handover_texts.agreed_words(handover)
    elif action == "decline" and own:
        done, words = steps.refuse(handover, me, settings(), visit().network), _("Declined. Nothing has changed.")
    else:
        raise NotAllowedError("only the owner decides")
    notify(words if done else _("This was decided in the meantime."), "done" if done else "caution")
    return _back()


def _found(number: int) -> MailboxHandover:
    """One's own, or one's of others once it is agreed. Somebody else's is not there."""
    handover, me = handovers.find(number), current_user()
    if handover is None or me.id not in (handover.owner_id, handover.person_id):
        abort(404)
    if handover.owner_id != me.id and handover.state in (HandoverState.ASKED, HandoverState.REFUSED):
        abort(404)
    return handover


def _back() -> AnyResponse:
    return redirect(url_for("handover.show"), 303)


def _page(form: HandoverForm, status: int = 200) -> Response:
    me = current_user()
    return page("handover/substitutes.html", status, form=form, mine=handovers.of_mailbox(me), others=handovers.of_person(me))


@blueprint.app_template_global()
def handover_facts(handover: MailboxHandover) -> list[tuple[str, str]]:
    return handover_texts.terms_of(handover)


@blueprint.app_template_filter()
def handover_state(handover: MailboxHandover) -> str:
    return handover_texts.state_of(handover)


@blueprint.app_template_filter()
def handover_problem(handover: MailboxHandover) -> str:
    return handover_texts.problem_of(handover)


@blueprint.app_template_filter()
def handover_folder(handover: MailboxHandover) -> str:
    """Where the person finds it."""
    return access.shared_inbox(handover.owner) if handover.since is None else copying.top_of(handover)


@blueprint.app_template_global()
def handovers_are_possible() -> bool:
    return access.is_possible(settings())


# --- the task that copies ---------------------------------------------------------------------------------------------


def _done(result: Facts) -> str:
    count = int(result["count"])
    return ngettext("%(count)s message was copied.", "%(count)s messages were copied.", count, count=number_words(count))


def _failed(reason: str) -> str:
    return {
        "handover-over": _("Stopped: this mailbox is no longer handed over to you."),
        "handover-full": _("Your mailbox is full. Free up some space: copying then goes on by itself."),
    }.get(reason, "")


TASK_TEXTS[copy_task.NAME] = TaskText(
    title=lambda given: _("Copying the mail of %(address)s", address=given["address"]),
    done=_done,
    failed=_failed,
    link=lambda result: (url_for("mailbox.show", mailbox=result["mailbox"]), _("Open the folder")),
)
