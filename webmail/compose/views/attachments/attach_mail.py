"""Attach mail: pages to pick messages, or files of messages, to attach to a draft; also forwarding several messages at once.

Works without scripts: what was ticked on one page is carried along to the others in the URL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail import imap
from webmail.compose import identities
from webmail.compose.attachments import mail_attachments, uploads
from webmail.compose.attachments.mail_attachments import MOST, AttachResult, Pick
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.drafts.fields import Fields
from webmail.compose.forms import ComposeForm
from webmail.compose.views import text_format
from webmail.compose.views.drafts_folder import put_if_small
from webmail.compose.views.editor import my_identities, no_room_words, own_draft
from webmail.errors import ServerAwayError
from webmail.mailbox import selection
from webmail.mailbox.list_request import LONGEST_QUERY, ListRequest
from webmail.mailbox.search import search_query
from webmail.models import DraftRow
from webmail.web.current import current_account, current_user, preferences, remember_overview, settings
from webmail.web.formatting import number, today
from webmail.web.forms.request_values import local_path, uidvalidity
from webmail.web.frame.list_buttons import LIST_BUTTONS
from webmail.web.labels import mailbox_label
from webmail.web.notices import notify
from webmail.web.rendering import page

_TOLD = 5  # names listed in a notice
_LONGEST_TOLD = 60
_EVERYWHERE = "*"  # all mailboxes; a wildcard, so never a mailbox name (RFC 3501 section 6.3.8)


@blueprint.get("/compose/<draft_id>/mail")
def from_my_mail(draft_id: str) -> Response:
    """A page of messages to tick, newest first: of one folder or all, optionally those matching a search."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    place = _list_arguments(request.args)
    folder = place["folder"] or "INBOX"
    asked = ListRequest.parse("INBOX" if folder == _EVERYWHERE else folder, {"query": place["words"], "page": place["page"]})
    everywhere = folder == _EVERYWHERE
    search = search_query.understood(asked.query, current_user(), today())
    size = preferences().page_size or settings().page_size
    with imap.connect(current_account(), asked.mailbox) as connection:
        if search.mailbox and (led := search_query.led_to(asked, search, imap.mailboxes.overview(connection))):
            asked, everywhere = led, led.scope == "all"
            search = search.without_folder
        if everywhere:
            listing: imap.listing.Listing = imap.multi_search.search(
                connection, asked.mailbox, query=search, below=False, page=asked.page, size=size, sizes=True
            )
        else:
            listing = imap.listing.page(connection, asked.mailbox, page=asked.page, size=size, query=search, sizes=True)
    remember_overview(listing.overview)
    rows = [
        (Pick(summary.mailbox or listing.mailbox, summary.uidvalidity or listing.uidvalidity, summary.uid), summary)
        for summary in listing.rows
    ]
    kept = mail_attachments.picks(request.args.getlist("kept"))
    here = {pick for pick, _summary in rows}
    return page(
        "compose/from_mail.html", draft_id=draft_id, rows=rows, listing=listing, search=search,
        place={**place, "words": asked.query, "folder": _EVERYWHERE if everywhere else asked.mailbox, "page": listing.page},
        ticked=here.intersection(kept), kept=mail_attachments.to_form_value(pick for pick in kept if pick not in here),
        elsewhere=sum(pick not in here for pick in kept), space=mail_attachments.free_bytes(row, settings()),
        everywhere=_EVERYWHERE,
    )  # fmt: skip


@blueprint.get("/compose/<draft_id>/mail/<int:uid>/<path:mailbox>")
def files_of_mail(draft_id: str, uid: int, mailbox: str) -> Response:
    """The files of one message, to tick."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    with imap.connect(current_account(), mailbox) as connection:
        message, shape = mail_attachments.look_inside(connection, mailbox, uid, uidvalidity())
        validity = connection.uidvalidity
    kept = mail_attachments.picks(request.args.getlist("kept"))
    whole = Pick(mailbox, validity, uid)
    parts = [
        (Pick(mailbox, validity, uid, part.section), mail_attachments.part_name(part), part)
        for part in (shape.attachments + shape.inline if shape else ())
    ]
    here = {whole, *(pick for pick, _name, _part in parts)}
    return page(
        "compose/from_mail_files.html", draft_id=draft_id, message=message, whole=whole, parts=parts, known=shape is not None,
        place=_list_arguments(request.args), ticked=here.intersection(kept), space=mail_attachments.free_bytes(row, settings()),
        kept=mail_attachments.to_form_value(pick for pick in kept if pick not in here), elsewhere=sum(pick not in here for pick in
        kept),
    )  # fmt: skip


@blueprint.post("/compose/<draft_id>/mail")
def attach_from_mail(draft_id: str) -> Response:
    """Attach what is ticked and return to the draft, or carry it along to another page."""
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    form, place = request.form, _list_arguments(request.form)
    action, _colon, what = form.get("action", "search").partition(":")
    chosen = mail_attachments.picks([*form.getlist("kept"), *form.getlist("ticked")])
    if action == "attach" and chosen and len(chosen) <= MOST:
        outcome = mail_attachments.attach(row, current_account(), chosen, settings())
        put_if_small(drafts.load(current_user(), draft_id))
        _tell(outcome)
        # on failure stay at the top of the page, where the notices are
        to_files: dict[str, Any] = {"at": "attachments", "_anchor": "attachments"} if outcome.complete else {}
        return redirect(url_for("compose.show", draft_id=draft_id, back=place["back"] or None, **to_files), 303)
    if len(chosen) > MOST:
        notify(_too_many(), "caution")
    elif action == "attach":
        notify(_("Select messages or files first."), "caution")
    if action == "search":
        place |= {"folder": form.get("in", ""), "words": form.get("for", "")[:LONGEST_QUERY], "page": ""}
    elif action == "page":
        place |= {"page": what}
    kept = [] if action == "forget" else mail_attachments.to_form_value(chosen[:MOST])
    carried: dict[str, Any] = {name: value for name, value in place.items() if value}
    if action == "files" and (of := mail_attachments.picks([what])):
        carried |= {"uid": of[0].uid, "mailbox": of[0].mailbox, "v": of[0].uidvalidity or None}
    endpoint = "compose.files_of_mail" if "mailbox" in carried else "compose.from_my_mail"
    return redirect(url_for(endpoint, draft_id=draft_id, kept=kept, **carried), 303)


@blueprint.post("/forward-together/<path:mailbox>")
def forward_together(mailbox: str) -> Response:
    """Attach the messages selected in a list to a new draft."""
    form = request.form
    back = local_path(form.get("back", "")) or url_for("mailbox.show", mailbox=mailbox)
    validity = form.get("v", 0, int)
    groups = selection.of_rows(mailbox, validity, form.getlist("uids"))
    if "all" in form:
        asked = ListRequest.parse(mailbox, form)
        query = search_query.understood(asked.query, current_user(), today())
        with imap.connect(current_account(), mailbox) as connection:
            groups = selection.matching(connection, asked, query, validity)
    chosen = [Pick(each.mailbox, each.uidvalidity, uid) for each in groups for uid in sorted(each.uids)]
    if not chosen or len(chosen) > MOST:
        words = _too_many() if chosen else _("Select messages first by ticking the boxes next to them.")
        notify(words, "caution")
        return redirect(back, 303)
    if len(chosen) == 1:  # an ordinary forward, which marks the original with $Forwarded
        one = chosen[0]
        of: dict[str, Any] = {"uid": one.uid, "mailbox": one.mailbox, "v": one.uidvalidity or None, "as": "attachment"}
        return redirect(url_for("compose.forward", **of), 303)
    begun = identities.begun(Fields(format=text_format.wanted()), my_identities()[0])
    row = drafts.new(current_user(), begun)
    try:
        outcome = mail_attachments.attach(row, current_account(), chosen, settings())
    except ServerAwayError:
        drafts.forget(row.id, settings())
        raise
    _tell(outcome)
    if not outcome.attached:
        drafts.forget(row.id, settings())
        return redirect(back, 303)
    drafts.leave_untouched(row)
    return redirect(url_for("compose.show", draft_id=row.id, back=back), 303)


LIST_BUTTONS["together"] = lambda mailbox, _argument: forward_together(mailbox)


# --- pieces ----------------------------------------------------------------------------------------------------------


def choosing_mail(row: DraftRow, form: ComposeForm) -> str:
    """The URL of the message picker for a form's draft."""
    return url_for("compose.from_my_mail", draft_id=row.id, back=local_path(form.back.data or "") or None)


def _list_arguments(values: Mapping[str, str]) -> dict[str, str]:
    """The folder, search and page being shown, and the draft's own way back."""
    found = {name: values.get(name, "")[:LONGEST_QUERY] for name in ("folder", "words", "page")}
    return found | {"back": local_path(values.get("back", ""))}


def _too_many() -> str:
    return _("You can attach up to %(num)s messages and files at a time.", num=number(MOST))


def _tell(outcome: AttachResult) -> None:
    """Notify what was attached, and what was not and why."""
    if outcome.attached:
        notify(_("Attached: %(names)s.", names=_names(outcome.attached)))
    for kind in (*uploads.REFUSALS, ServerAwayError):
        refused = [one for one in outcome.refused if isinstance(one.error, kind)]
        if refused:
            words = _("Could not attach %(names)s.", names=_names(one.name for one in refused))
            error = refused[0].error
            why = _("The connection to the mail server was lost.") if isinstance(error, ServerAwayError) else no_room_words(error)
            notify(f"{words} {why}", "danger")
    if outcome.gone:
        words = ngettext(
            "%(num)d selected item is no longer there. It may have been moved or deleted.",
            "%(num)d selected items are no longer there. They may have been moved or deleted.",
            outcome.gone,
        )
        notify(words, "caution")
    if outcome.rebuilt:
        words = _(
            "The contents of %(folders)s changed on the server, so nothing was attached from there. Select the messages again.",
            folders=", ".join(mailbox_label(name) for name in outcome.rebuilt[:_TOLD]),
        )
        notify(words, "caution")


def _names(names: Iterable[str]) -> str:
    all_of_them = list(names)
    told = ", ".join(_("“%(name)s”", name=name[:_LONGEST_TOLD]) for name in all_of_them[:_TOLD])
    rest = len(all_of_them) - _TOLD
    return ngettext("%(names)s and %(num)d more", "%(names)s and %(num)d more", rest, names=told) if rest > 0 else told
