"""Mailboxes that are handed over, as administrators see and ask for them. None of these pages shows anything of the mail."""

from __future__ import annotations

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import administrator
from webmail.auth import account_management
from webmail.auth.sessions.cookies import visit
from webmail.establishments.scope import Scope
from webmail.handover import access, handover_texts, steps
from webmail.handover.handover_terms import HandoverForm
from webmail.models import MailboxHandover, User
from webmail.people import handovers
from webmail.people.handovers import HandoverRefusedError
from webmail.web.current import current_user, settings
from webmail.web.notices import notify
from webmail.web.rendering import page


@blueprint.get("/handovers")
def handovers_page() -> Response:
    scope = _scope()
    rows = handovers.listed(
        None if scope.everything else account_management.numbers_of(scope.condition()),
        waiting=request.args.get("state") == "waiting", before=request.args.get("before", 0, int),
    )  # fmt: skip
    return page(
        "admin/handovers/list.html", rows=rows[: handovers.PAGE], more=len(rows) > handovers.PAGE, why_not=_why_not,
        waiting=request.args.get("state") == "waiting",
    )  # fmt: skip


@blueprint.get("/handovers/new")
def new_handover() -> Response:
    _scope()
    return page("admin/handovers/new.html", form=HandoverForm.empty(request.args.get("owner", "")[:254]))


@blueprint.post("/handovers/new")
def ask_handover() -> AnyResponse:
    """As an administrator one asks: the owner agrees, or another administrator where the owner is gone."""
    scope, form, me = _scope(), HandoverForm.typed(request.form), current_user()
    terms, owner = form.read(), _in_scope(scope, form.owner)
    if owner is None:
        form.errors["owner"] = _("No account has this address.")
    if terms is None or owner is None:
        return page("admin/handovers/new.html", 422, form=form)
    try:
        made = steps.ask(owner, account_management.find(form.person, owner.domain), me, terms, settings(), visit().network)
    except HandoverRefusedError as error:
        form.errors[handover_texts.field_of(error.doubt)] = handover_texts.doubt_words(error.doubt)
        return page("admin/handovers/new.html", 422, form=form)
    notify(handover_texts.agreed_words(made))
    return redirect(url_for("admin.handovers_page"), 303)


@blueprint.post("/handovers/<int:number>")
def change_handover(number: int) -> AnyResponse:
    """`action`: approve in the owner's place, decline, or end."""
    handover, me, action = _found(_scope(), number), current_user(), request.form.get("action")
    network, done, words = visit().network, False, ""
    try:
        if action == "approve":
            done, words = steps.agree(handover, me, settings(), network), handover_texts.agreed_words(handover)
        elif action == "decline":
            done, words = steps.refuse(handover, me, settings(), network), _("Declined. Nothing has changed.")
        elif action == "end":
            done, words = steps.end(handover, me, settings(), network), _("Ended.")
    except HandoverRefusedError as error:
        done, words = True, handover_texts.doubt_words(error.doubt)
        notify(words, "caution")
        return redirect(url_for("admin.handovers_page"), 303)
    notify(words if done else _("This was decided in the meantime."), "done" if done else "caution")
    return redirect(url_for("admin.handovers_page"), 303)


@blueprint.app_template_global()
def handovers_of_mailbox(owner: User) -> list[MailboxHandover]:
    return handovers.of_mailbox(owner)


def _scope() -> Scope:
    if not access.is_possible(settings()):
        abort(404)
    return administrator()


def _in_scope(scope: Scope, text: str) -> User | None:
    owner = account_management.find(text, current_user().domain)
    return owner if owner is not None and scope.includes(owner) else None


def _found(scope: Scope, number: int) -> MailboxHandover:
    handover = handovers.find(number)
    if handover is None or not scope.includes(handover.owner):
        abort(404)
    return handover


def _why_not(handover: MailboxHandover) -> str:
    """Why the person can't approve it, "" where they can."""
    doubt = steps.why_not(handover, current_user())
    return handover_texts.doubt_words(doubt) if doubt else ""
