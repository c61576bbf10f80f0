"""Templates pages: listing, editing and removing reusable message texts."""

from __future__ import annotations

from flask import abort, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.compose import removed, templates
from webmail.errors import LimitReachedError
from webmail.models import ReadyText
from webmail.settings.blueprint import blueprint
from webmail.settings.identity_forms import TemplateForm
from webmail.settings.views.removals import told_removed
from webmail.web.current import current_user
from webmail.web.notices import notify
from webmail.web.rendering import page

LIST = "settings.list_templates"


@blueprint.get("/settings/templates")
def list_templates() -> Response:
    user = current_user()
    shared = [text for text in templates.usable(user) if text.user_id != user.id]
    return page("settings/templates.html", mine=templates.mine(user), shared=shared)


@blueprint.get("/settings/templates/new")
def new_template() -> Response:
    return _template_page(TemplateForm())


@blueprint.post("/settings/templates/new")
def add_template() -> Response:
    return _save(ReadyText(user=current_user()))


@blueprint.get("/settings/templates/<int:number>")
def show_template(number: int) -> Response:
    text = _mine(number)
    return _template_page(TemplateForm(obj=text), text)


@blueprint.post("/settings/templates/<int:number>")
def change_template(number: int) -> Response:
    return _save(_mine(number))


@blueprint.get("/settings/templates/<int:number>/remove")
def ask_template(number: int) -> Response:
    text = _mine(number)
    words = _("Nobody will be able to use it any more.") if text.shared else _("Messages written with it are not affected.")
    return page(
        "settings/remove.html", title=_("Delete the template “%(name)s”?", name=text.name), words=words, back=url_for(LIST)
    )


@blueprint.post("/settings/templates/<int:number>/remove")
def remove_template(number: int) -> Response:
    if undo := removed.remove(current_user(), "template", number):
        told_removed("template", _("Template deleted."), undo)
    return redirect(url_for(LIST), 303)


def _mine(number: int) -> ReadyText:
    return next((text for text in templates.mine(current_user()) if text.id == number), None) or abort(404)


def _template_page(form: TemplateForm, text: ReadyText | None = None, status: int = 200) -> Response:
    if current_user().role != "admin":
        del form.shared
    return page("settings/templates_edit.html", status, form=form, text=text)


def _save(text: ReadyText) -> Response:
    form = TemplateForm()
    known = text if text.id else None
    if not form.validate():
        return _template_page(form, known, 422)
    form.put_into(text)
    try:
        templates.save(text)
    except LimitReachedError:
        notify(_("You have reached the limit. Delete one first."), "danger")
        return _template_page(form, known, 422)
    notify(_("Template saved."))
    return redirect(url_for(LIST), 303)
