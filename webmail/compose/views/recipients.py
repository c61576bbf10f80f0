"""Recipients views: autocompletion while typing, and a recipient picker page that works without scripts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from flask import redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from webmail.accounts.permitted_texts import refusal_words
from webmail.compose import header_values
from webmail.compose.blueprint import blueprint
from webmail.compose.drafts import drafts
from webmail.compose.drafts.drafts import DraftChangedElsewhereError
from webmail.compose.drafts.fields import fields_of
from webmail.compose.forms import ComposeForm
from webmail.compose.recipients import address_book, bare_names, recipients, suggestions
from webmail.compose.views.drafts_folder import put_into_drafts
from webmail.compose.views.editor import address_of, own_draft, show_form, turned_page
from webmail.errors import BadAddressError
from webmail.mime.headers.address_input import address_key
from webmail.models import DraftRow
from webmail.people.reach import Refused
from webmail.people.suggestions import remembered
from webmail.people.visibility import sees, sight_of
from webmail.web.current import current_user, preferences, settings
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify
from webmail.web.rendering import fragment, page

_LONGEST_ADDRESS = 254


@blueprint.get("/recipients")
def suggest() -> Response:
    """Suggestions for the text typed so far, as list options for `static/js/compose/recipients.js`."""
    people = suggestions.suggest(current_user(), request.args.get("words", ""), settings())
    return fragment("compose/_recipients.html", people=people)


@blueprint.post("/recipients/forget")
def forget_suggested() -> Response:
    """`action`: no longer suggest an `address`, with what `static/js/compose/recipients.js` then says; or remember it again."""
    address = request.form.get("address", "")[:_LONGEST_ADDRESS]
    if request.form.get("action") == "remember":
        remembered.take_back(current_user(), address)
        return Response(status=204)
    if not remembered.forget(current_user(), address):
        return Response(status=204)  # in another window
    return fragment("compose/_recipients_forgotten.html", address=address)


@blueprint.app_template_global()
def can_be_forgotten(person: suggestions.Person) -> bool:
    """Whether somebody is suggested for messages alone: a contact or a colleague would be suggested all the same."""
    return bool(person.learned) and not (
        person.learned.rpartition("@")[2] in settings().own_domains(current_user().domain)
        and sees(current_user(), person.learned, settings())
    )


@blueprint.get("/compose/<draft_id>/recipients")
def choose(draft_id: str) -> Response:
    """The recipient picker for a draft, in the order of `suggestions.find`."""
    user, words = current_user(), request.args.get("words", "")[: suggestions.MOST_WORDS]
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    people = suggestions.find(user, words, settings())
    size = preferences().page_size or settings().page_size
    last = max((len(people) - 1) // size, 0) + 1
    number = min(max(request.args.get("page", 1, int), 1), last)
    lists = {name: getattr(row, name) for name in recipients.FIELDS}
    return page(
        "compose/choose.html", row=row, words=words, people=people[(number - 1) * size : number * size], total=len(people),
        number=number, last=last, lists=lists, chosen={name: recipients.keys_in(text) for name, text in lists.items()},
        back=_back(), revision=drafts.revision_at(row),
    )  # fmt: skip


@blueprint.post("/compose/<draft_id>/recipients")
def chosen(draft_id: str) -> Response:
    """Store the ticked recipients in the draft, then return to it or show another page of the picker."""
    user, action = current_user(), request.form.get("action", "search")
    row = own_draft(draft_id)
    if isinstance(row, Response):
        return row
    before = fields_of(row)
    lists = {name: getattr(before, name) for name in recipients.FIELDS}
    unfolded = partial(address_book.unfolded, user, sight=sight_of(user, settings()))
    ticked = {name: unfolded(request.form.getlist(name)) for name in recipients.FIELDS}
    shown = [*unfolded(request.form.getlist("shown")), *(one for each in ticked.values() for one in each)]
    lists = recipients.without_repetition(recipients.with_ticks(lists, shown, ticked))
    fields = replace(before, to=lists["to"], cc=lists["cc"], bcc=lists["bcc"])
    try:
        # a new writer name, so that the compose form that led here can't overwrite what was chosen since
        began = request.form.get("revision", "")
        put_into_drafts(drafts.store(user, draft_id, fields, writer=secrets.token_hex(16), began_from=began))
    except DraftChangedElsewhereError:
        notify(_("This draft was changed in another window. Here is the latest version: check it, then try again."), "caution")
    back = _back() or None
    if action == "done":
        return redirect(url_for("compose.show", draft_id=draft_id, back=back), 303)
    number = turned_page(action)
    words = request.form.get("words" if number is None else "searched", "")[: suggestions.MOST_WORDS]
    return redirect(url_for("compose.choose", draft_id=draft_id, words=words or None, page=number, back=back), 303)


def choosing(row: DraftRow, form: ComposeForm) -> str:
    """The URL of the recipient picker for a form's draft."""
    return url_for("compose.choose", draft_id=row.id, back=local_path(form.back.data or "") or None)


def correct(form: ComposeForm) -> None:
    """Replace addresses that look mistyped by what was probably meant."""
    found = recipients.likely_typos(current_user(), form.lists().values(), settings())
    form.fill_in({name: recipients.corrected(text, found) for name, text in form.lists().items()})


def whom_they_mean(form: ComposeForm) -> list[bare_names.UnclearName]:
    """The names in the form that are nobody's address, to be asked about; none where `ComposeForm.check` refuses a field."""
    if any(header_values.trouble_in(form.typed(name), addresses=True) for name in recipients.FIELDS):
        return []
    return bare_names.unclear(current_user(), form.lists(), settings())


def named_choice(argument: str) -> tuple[str, str]:
    """The name and the chosen entry in the value of a button of `compose/_whom.html`: "kari>Kari <kari@fjord.example>"."""
    name, _mark, entry = argument.partition(">")
    return name, entry


def replace_name(form: ComposeForm, argument: str) -> None:
    """Put the address that was chosen for a name in its place."""
    try:
        form.fill_in(bare_names.replaced(form.lists(), *named_choice(argument)))
    except BadAddressError:
        return  # no button of ours: the name stays, and is asked about again
    form.deduplicate()


def ask_again(form: ComposeForm, row: DraftRow) -> Response:
    """The form with what was chosen; and with the next question, if another name is left."""
    if left := whom_they_mean(form):
        return show_form(form, row.id, row, status=422, unclear=left)
    notify(_("Address added. Nothing has been sent yet."))
    return redirect(address_of(row, form), 303)


def mark_refused(form: ComposeForm, refused: Sequence[Refused]) -> None:
    """Say in each field which of its addresses the person may not write to, and why."""
    for name in recipients.FIELDS:
        there = recipients.keys_in(form[name].data or "")
        for one in refused:
            if address_key(one.address) in there:
                form.mark(name, refusal_words(one))


def mark_unsendable(form: ComposeForm, emails: Sequence[str]) -> None:
    """Add errors to the fields of recipients that the mail server can't send to (`recipients.unsendable`)."""
    for email in emails:
        name = next((name for name, text in form.lists().items() if recipients.key(email) in recipients.keys_in(text)), "to")
        words = _(
            "The mail server can’t send to “%(address)s”: it does not support accents or special characters before the @.",
            address=email[:80],
        )
        form.mark(name, words)


def _back() -> str:
    return local_path(request.values.get("back", ""))


@blueprint.app_template_test("chosen_as")
def _chosen_as(person: suggestions.Person, keys: set[str]) -> bool:
    return person.group.keys <= keys if person.group else recipients.key(person.email) in keys


@blueprint.app_template_global()
def can_be_unticked(person: suggestions.Person, chosen: Mapping[str, set[str]]) -> bool:
    """Whether unticking removes the entry from the draft; for a group only if it was ticked, as members may be listed singly."""
    return not person.group or any(_chosen_as(person, keys) for keys in chosen.values())


@blueprint.app_template_global()
def group_words(group: address_book.Group) -> str:
    """What stands beside the name of a group: how many people, and whose group it is if it is not one's own."""
    size = len(group.people)
    if group.domain:
        where = settings().domain_label(group.domain)
        return ngettext("Group of %(num)d person at %(domain)s", "Group of %(num)d people at %(domain)s", size, domain=where)
    return ngettext("Group of %(num)d person", "Group of %(num)d people", size)


@blueprint.app_template_global()
def visible_count(form: ComposeForm) -> int:
    """How many addresses all recipients will see."""
    return sum((field.data or "").count("@") for field in (form.to, form.cc))
