"""Changes of one or many: those that are ticked, or all that the list shows on its pages. Each can be undone."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin import people_texts
from webmail.admin.blueprint import blueprint
from webmail.admin.people import changes, creation, listing, one_person, sizes
from webmail.admin.people.changes import Act, ChangeOutcome, Step
from webmail.admin.views.access import administrator, changed_by
from webmail.admin.views.people.listing import values_of, wanted_in
from webmail.auth import account_management
from webmail.auth.recovery import temporary_passwords
from webmail.auth.sessions.endings import end_everything_else
from webmail.mail import Address
from webmail.models import User
from webmail.transfers import overview
from webmail.web.current import current_user, settings, time_zone
from webmail.web.forms.request_values import local_path
from webmail.web.notices import notify, undone
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell

MOST_PASSWORDS = 200  # at once: each takes a core some time, and a line of a page that is shown once
_PASSWORDS = "passwords"
_TOLD = 5  # refusals in a notice


@blueprint.post("/people/change")
def change_people() -> AnyResponse:
    """What `action` says, to the accounts in `person`, or with `all` to all that the list shows."""
    users, action = _chosen(), request.form.get("action", "")
    if not users:
        notify(_("Nobody was selected."), "caution")
        return _back()
    if action == _PASSWORDS:
        return _give_passwords(users)
    step = _step(action)
    if step is None:
        return _back()
    if step.act is Act.REMOVE and not request.form.get("sure"):
        return _ask(users)
    _tell(step.act, changes.apply(users, step, changed_by(), settings()))
    return _back()


@blueprint.post("/people/undo")
def undo_people() -> AnyResponse:
    """Put back what a change of these pages changed."""
    back, of = changes.undo(request.form.get("undo", "")[:64], changed_by(), administrator().condition(), settings())
    if not of:
        undone(_("It is too late to undo this."), "caution")
    elif back < of:
        words = ngettext(
            "Undone for %(num)d of %(all)d: the others were changed since.",
            "Undone for %(num)d of %(all)d: the others were changed since.", back, all=of,
        )  # fmt: skip
        undone(words, "caution")
    else:
        undone()
    return _back()


def _chosen() -> list[User]:
    scope = administrator()
    if request.form.get("all"):
        return listing.all_of(scope, wanted_in(request.form))
    numbers = [int(one) for one in request.form.getlist("person")[: listing.MOST_AT_ONCE] if one.isdecimal() and len(one) < 19]
    return account_management.of_numbers(numbers, scope.condition())


def _step(action: str) -> Step | None:
    """None with a notice, where what is needed was not typed."""
    match action:
        case Act.QUOTA:
            size = sizes.bytes_typed(request.form.get("quota", "") or "0")
            if size is None or not request.form.get("quota", "").strip():
                notify(_("Enter a size such as 500M or 2G, or 0 for no limit."), "caution")
                return None
            return Step(Act.QUOTA, size)
        case Act.END:
            return _end()
        case Act.DISABLE | Act.ENABLE | Act.REMOVE | Act.RESTORE | Act.FACTOR | Act.NO_FACTOR:
            return Step(Act(action))
    return None


def _end() -> Step | None:
    """The account is disabled when the day is over; an empty field takes the day away."""
    typed = request.form.get("until", "").strip()
    if not typed:
        return Step(Act.END, None)
    try:
        day = datetime.strptime(typed[:10], "%Y-%m-%d").date() + timedelta(days=1)
        return Step(Act.END, datetime.combine(day, time(), time_zone()).astimezone(UTC).replace(tzinfo=None))
    except (ValueError, OverflowError):
        notify(_("Enter a day such as 2027-07-31."), "caution")
        return None


def _ask(users: list[User]) -> Response:
    """Before accounts are deleted: what of theirs others use."""
    missed = [(user, one_person.used_by_others(user), overview.open_links(user)) for user in users[: listing.SIZE]]
    return page(
        "admin/people/delete.html", users=users, missed=[one for one in missed if one[1] or one[2]], back=_where(),
        days=settings().deletion_days, rest=settings().address_rest_days,
    )  # fmt: skip


def _tell(act: Act, outcome: ChangeOutcome) -> None:
    if outcome.changed:
        undo = (url_for("admin.undo_people"), {"undo": outcome.undo, "back": _where()}) if outcome.undo else None
        notify(people_texts.done_words(act, len(outcome.changed)), undo=undo)
    elif not outcome.refused:
        notify(_("Nothing changed: it was so already."), "plain")
    if outcome.refused:
        told = [f"{user.address} ({people_texts.refusal_words(why)})" for user, why in outcome.refused[:_TOLD]]
        more = len(outcome.refused) - len(told)
        words = _("Not changed: %(people)s.", people=", ".join(told))
        notify(
            words + (" " + ngettext("%(num)d more was refused.", "%(num)d more were refused.", more) if more else ""), "caution"
        )


def _give_passwords(users: list[User]) -> AnyResponse:
    """Shown once, on the answer itself: they are kept nowhere."""
    able = [user for user in users if creation.may_have_password(user, settings()) and user.active]
    own = changed_by()
    able = [user for user in able if not own.is_oneself(user)]
    if not able:
        notify(_("None of these people sign in with a password of ours."), "caution")
        return _back()
    if len(able) > MOST_PASSWORDS:
        notify(_("Choose at most %(count)d people for new passwords.", count=MOST_PASSWORDS), "caution")
        return _back()
    given = creation.give_passwords(able, own)
    for user, _letters in given:
        end_everything_else(user, settings())
        tell(user, SecurityNotice.TEMPORARY_PASSWORD, str(Address(current_user().name, current_user().address)))
    return passwords_page(given, _where())


def passwords_page(given: list[tuple[User, str]], back: str) -> Response:
    """The temporary passwords, the one time that they are shown."""
    shown = [(user, " ".join(temporary_passwords.groups(letters))) for user, letters in given]
    return page("admin/people/passwords.html", shown=shown, back=back, days=temporary_passwords.VALID.days)


def _where() -> str:
    return local_path(request.form.get("back", "")) or url_for("admin.people", **values_of(wanted_in(request.form)))


def _back() -> AnyResponse:
    return redirect(_where(), 303)
