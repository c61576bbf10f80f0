"""One person's page, what of their account can be changed, and their devices."""

from __future__ import annotations

from flask import Response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin import people_texts
from webmail.admin.account_forms import AccountForm
from webmail.admin.blueprint import blueprint
from webmail.admin.groups import policy_texts
from webmail.admin.people import changes, creation, editing, limits, one_person
from webmail.admin.people.editing import AccountChangedError, AliasRefusedError, CatchAllRefusedError, RefusedChangeError
from webmail.admin.views.access import account_or_404, administrator, changed_by, domains_here
from webmail.auth.devices import app_passwords
from webmail.auth.sessions import endings, mail_sessions
from webmail.establishments import establishments
from webmail.models import AuditAct, User
from webmail.people import policies
from webmail.web.current import settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.security_mail import SecurityNotice, tell


@blueprint.get("/people/<int:number>")
def person(number: int) -> Response:
    user = account_or_404(administrator(), number)
    return page(
        "admin/people/person.html", person=one_person.described(user), user=user, state_of=people_texts.state_of,
        gives_password=creation.may_have_password(user, settings()), own=changed_by().is_oneself(user),
        establishment=establishments.of_domain(user.domain), days=settings().deletion_days,
        limits=limits.described(user, settings()), limit_labels=policy_texts.limit_labels(),
        value_words=policy_texts.value_words, origin_words=policy_texts.origin_words,
    )  # fmt: skip


@blueprint.get("/people/<int:number>/edit")
def edit_person(number: int) -> Response:
    user = account_or_404(administrator(), number)
    return _form(user, AccountForm.showing(editing.fields_of(user)))


@blueprint.post("/people/<int:number>/edit")
def change_person(number: int) -> AnyResponse:
    """Of two administrators the second is told what the first changed, and keeps what was typed."""
    scope = administrator()
    user, form = account_or_404(scope, number), AccountForm.sent(request.form)
    before = editing.fields_of(user)
    wanted = form.described(before, domains_here(), scope)
    if wanted is None:
        return _form(user, form, 422)
    try:
        changed = editing.save(user, wanted, changed_by(), settings())
    except AccountChangedError:
        form.version = before.version
        return _form(user, form, 409, meanwhile=AccountForm.showing(before))
    except AliasRefusedError as error:
        form.errors["aliases"] = _("%(address)s is in use, or can’t be given.", address=str(error))
        return _form(user, form, 422)
    except CatchAllRefusedError as error:
        why = _("This person gets mail from inside only, so %(address)s can’t lead to them.", address=str(error))
        form.errors["aliases"] = why
        return _form(user, form, 422)
    except RefusedChangeError as error:
        return _form(user, form, 409, problem=people_texts.refusal_words(error.refusal))
    notify(_("Saved.") if changed else _("Nothing changed: it was so already."), "done" if changed else "plain")
    return redirect(url_for("admin.person", number=user.id), 303)


@blueprint.post("/people/<int:number>/device")
def end_device(number: int) -> AnyResponse:
    """End one of their app passwords; they are told."""
    user = account_or_404(administrator(), number)
    row = app_passwords.revoke(user, request.form.get("app_password", 0, int))
    if row is None:
        notify(_("It had already ended."), "plain")
    else:
        mail_sessions.end_app_password_soon(row.id, user.address, settings())
        changed_by().note(AuditAct.APP_PASSWORD_REVOKED, user.address, name=row.name)
        tell(user, SecurityNotice.APP_PASSWORD_REVOKED, row.name)
        notify(_("“%(name)s” can no longer connect.", name=row.name))
    return redirect(url_for("admin.person", number=user.id), 303)


@blueprint.post("/people/<int:number>/sign-out")
def sign_out_person(number: int) -> AnyResponse:
    """End all that they have open, in browsers and in mail programs."""
    user = account_or_404(administrator(), number)
    ended = endings.end_everything_else(user, settings())
    changed_by().note(AuditAct.SESSIONS_ENDED, user.address, sessions=ended)
    notify(_("Signed out everywhere."))
    return redirect(url_for("admin.person", number=user.id), 303)


def _form(
    user: User, form: AccountForm, status: int = 200, *, problem: str = "", meanwhile: AccountForm | None = None
) -> Response:
    return page(
        "admin/people/edit.html", status, form=form, user=user, problem=problem, meanwhile=meanwhile,
        everything=administrator().everything, domains=domains_here(), keeps_quota=settings().sign_in == "accounts",
        messages_hint=people_texts.messages_hint(policies.for_groups(user)),
        directory_name=changes.gives_name(user), directory_quota=changes.gives_quota(user, settings()),
    )  # fmt: skip
