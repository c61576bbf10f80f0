"""Categories of contacts: their list beside the groups, and the people of one."""

from __future__ import annotations

from flask import Response, abort, request

from webmail.contacts import categories
from webmail.contacts.blueprint import blueprint
from webmail.contacts.categories import Category
from webmail.web.current import current_user
from webmail.web.rendering import page

_MOST_SHOWN = 500  # contacts of a category


@blueprint.get("/contacts/categories")
def show_category() -> Response:
    """The contacts that have the category `name`."""
    key = categories.named(request.args.get("name", "")[:200])
    people = categories.contacts(current_user(), key) if key else []
    if not people:
        abort(404)
    name = categories.spelt(current_user(), key)
    reachable = any(one.email for one in people)
    return page("contacts/category.html", name=name, people=people[:_MOST_SHOWN], total=len(people), reachable=reachable)


@blueprint.app_template_global()
def my_categories() -> list[Category]:
    """The person's categories, with how many people each has."""
    return categories.of_user(current_user())
