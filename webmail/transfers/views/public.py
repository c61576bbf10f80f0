"""The page of a public link: what was sent, by whom, until when; and what is asked for before files are given out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from flask import Flask, Response, current_app, redirect, request
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail import rate_limits
from webmail.auth.factors.mailed_codes import CodeRefusedError
from webmail.auth.guard import public
from webmail.auth.passwords import hashing
from webmail.auth.passwords.check_admission import TooBusyError, checking
from webmail.database.connection import DATABASE_AWAY, db
from webmail.errors import BadAddressError, UnsafeValueError
from webmail.models import TransferFile, TransferRecipient
from webmail.rate_limits import HOUR, QUARTER, RateLimit, TooManyRequestsError
from webmail.transfers import protection, store
from webmail.transfers.blueprint import blueprint
from webmail.transfers.notifications.download_codes import mail_download_code
from webmail.transfers.public import access, archive, download_codes, fetches, grants
from webmail.transfers.public.access import LinkVisit, Need
from webmail.transfers.public.grants import Right
from webmail.transfers.texts.script_texts import sealed_words
from webmail.transfers.views import visitors
from webmail.transfers.views.public_page import archive_name, requested_page, sender_of
from webmail.transfers.views.visitors import for_visitors
from webmail.web.current import after_the_answer, settings
from webmail.web.responses.file_host import file_url
from webmail.web.texts.code_texts import code_fault_words

PASSWORDS = RateLimit("passwords of a transfer from a network", 20, QUARTER)  # wrong ones: a class may be behind it
PASSWORDS_OF_ALL = RateLimit("passwords of a transfer", 300, HOUR)  # from all networks together


@blueprint.get("/t/<link>")
@public
@for_visitors
def show(link: str) -> AnyResponse:
    visited = visitors.visit(link)
    if visited.carried and grants.MARK in link and visited.link_with(visited.grant, settings()) == visited.bare_link:
        return redirect(visitors.page_url(visited, page=request.args.get("page")), 303)  # the cookie was taken
    return _page(visited)


@blueprint.post("/t/<link>")
@public
@for_visitors
def act_on_link(link: str) -> AnyResponse:
    """`action`: password, ask (for a code), code, all or chosen (`files`); or `file`, one of them.

    No token protects this form, since that would take a cookie: it changes nothing for whoever's browser sends it.
    """
    visited = visitors.visit(link)
    action, need = request.form.get("action", ""), visited.needs
    if need is Need.PASSWORD and action == "password":
        return _password(visited)
    if need is Need.CODE and action == "ask":
        return _ask_code(visited)
    if need is Need.CODE and action == "code":
        return _code(visited)
    if need is not None:
        return redirect(visitors.page_url(visited, link), 303)
    return _download(visited, action)


def _page(visited: LinkVisit, status: int = 200, problem: str = "", **typed: str) -> Response:
    need = visited.needs
    if need is not None:
        return visitors.page(
            "transfers/public/ask.html", status, visit=visited, need=str(need), problem=problem,
            sender=sender_of(visited.transfer),
            here=visitors.page_url(visited, visited.link_with(visited.grant, settings())), typed=typed,
            asked_to=request.args.get("to", "") if request.method == "GET" else typed.get("to", ""),
            by_mail=settings().system_sender is not None,
        )  # fmt: skip
    sealed = bool(visited.transfer.end_to_end)
    return visitors.page(
        f"transfers/public/{'sealed' if sealed else 'files'}.html", status, sealed, visit=visited, problem=problem,
        sender=sender_of(visited.transfer), shown=requested_page(visited, settings()),
        sealed_names=protection.sealed_names(visited.transfer), sealed_words=sealed_words() if sealed else {},
        archive_name=archive_name(visited), here=visitors.page_url(visited, visited.link_with(visited.grant, settings())),
    )  # fmt: skip


def _password(visited: LinkVisit) -> AnyResponse:
    typed = request.form.get("password", "")
    try:
        from_here = PASSWORDS.by(visited.transfer.id, visitors.network())
        tried = rate_limits.take(settings(), from_here, PASSWORDS_OF_ALL.by(visited.transfer.id))
        with checking():
            right = hashing.verify(visited.transfer.password, typed)
    except TooManyRequestsError as error:
        return visitors.wait(error)
    except TooBusyError:  # nothing was tried
        rate_limits.give_back(tried)
        return visitors.told(_("Many people are here right now"), _("Wait a few seconds, then try again."), 503, retry=10)
    if not right:
        return _page(visited, 422, _("Wrong password. Ask the person who sent the files."))
    rate_limits.give_back(tried)
    return _granted(visited, visited.grant.with_right(Right.PASSWORD))


def _ask_code(visited: LinkVisit) -> AnyResponse:
    """Whether a code is mailed is decided once the answer has gone: the page is the same for every address."""
    typed = request.form.get("to", "").strip()[:254]
    if visited.recipient is None and "@" not in typed:
        return _page(visited, 422, _("Type the address that the link was sent to."))
    try:
        rate_limits.take(settings(), download_codes.ASKED.by(visitors.network()))
    except TooManyRequestsError as error:
        return visitors.wait(error)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    known = visited.recipient.id if visited.recipient is not None else 0
    after_the_answer(partial(_send_code, app, visited.transfer.id, known, typed, str(get_locale())))
    to = visited.recipient.address if visited.own_link and visited.recipient else typed
    here = visited.link_with(visited.grant, settings())
    return redirect(visitors.page_url(visited, here, to=to if not visited.own_link else "you"), 303)


def _send_code(app: Flask, transfer_id: int, recipient_id: int, typed: str, language: str) -> None:
    """Whatever goes wrong is only logged: nobody is there any more."""
    try:
        with app.app_context(), db.connection_context():
            theirs = TransferRecipient.transfer == transfer_id
            if recipient_id:
                recipient = TransferRecipient.get_or_none(theirs & (TransferRecipient.id == recipient_id))
            else:
                recipient = download_codes.recipient_named(transfer_id, typed)
            if recipient is None or settings().system_sender is None:
                return
            mail_download_code(recipient, language)
    except (TooManyRequestsError, BadAddressError, UnsafeValueError, *DATABASE_AWAY) as error:
        app.logger.info("the code for a download is not sent: %s", error)


def _code(visited: LinkVisit) -> AnyResponse:
    to = request.form.get("to", "")[:254]
    recipient = visited.recipient or download_codes.recipient_named(visited.transfer, to)
    try:
        rate_limits.take(settings(), download_codes.TYPED.by(visitors.network()))
        download_codes.accept(recipient, request.form.get("code", ""), settings())
    except TooManyRequestsError as error:
        return visitors.wait(error)
    except CodeRefusedError as refused:
        return _page(visited, 422, code_fault_words(refused.fault), to=to)
    assert recipient is not None
    return _granted(replace(visited, recipient=recipient), visited.grant.with_right(Right.CODE, recipient.id))


def _granted(visited: LinkVisit, grant: grants.Grant) -> AnyResponse:
    """To the page, by an address that leads on to the link as it was sent where the cookie is taken."""
    fetches.opened(visited)
    answer = redirect(visitors.page_url(visited, visited.link_with(grant, settings())), 303)
    return visitors.give_pass(answer, visited, grant)


def _download(visited: LinkVisit, action: str) -> AnyResponse:
    """To the address of what was asked for, with a ticket in it: what comes from there counts."""
    files = store.files(visited.transfer)
    ready = access.ready_files(files)
    wanted = set(request.form.getlist("files"))
    if one := request.form.get("file", ""):
        chosen = [file for file in ready if file.upload == one]
    elif action == "chosen":
        chosen = [file for file in ready if file.upload in wanted]
        if not wanted:
            return _page(visited, 422, _("Choose at least one file."))
    else:
        chosen = ready
    left = fetches.left(visited, chosen)
    if not left:
        return _page(visited, 410 if chosen else 404, _none_words(chosen))
    fetches.opened(visited)
    link = access.with_ticket(visited, settings(), alone=bool(settings().transfers.file_host))
    if len(left) == 1:
        return redirect(address_of(link, left[0]), 303)
    # all that can be had needs no choice, and would be too long for one: some may have been refused, or downloaded
    choice = archive.written_choice(fetches.left(visited, ready), {file.upload for file in left})
    return redirect(file_url("transfers.archive", link=link, only=choice or None), 303)


def _none_words(chosen: list[TransferFile]) -> str:
    if chosen:
        return _("These files could be downloaded only once, and have been. Ask the sender to send them again.")
    return _("These files can’t be downloaded at the moment.")


def address_of(link: str, file: TransferFile) -> str:
    return file_url("transfers.file", link=link, upload=file.upload, name=file.path.rpartition("/")[2])
