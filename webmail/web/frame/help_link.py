"""The link to the page for who needs help, for pages of every area where somebody may be stuck."""

from __future__ import annotations

from flask import current_app

from webmail.web.templates.addresses import url_for

_PAGE = "accounts.show_support"


def help_link() -> str:
    """Its address; "" in an application without that area."""
    return url_for(_PAGE) if _PAGE in current_app.view_functions else ""
