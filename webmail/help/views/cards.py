"""The cards of a first visit: which one stands above the inbox, and its buttons."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from webmail.help import first_cards
from webmail.help.blueprint import blueprint
from webmail.web.current import current_user, preferences
from webmail.web.frame.banners import add_banner
from webmail.web.templates.addresses import url_for


@add_banner("help/_first_card.html", "first-card")
@blueprint.app_template_global()
def first_card() -> tuple[int, str] | None:
    """The card to show on this page, and the page of help it leads to. No query: preferences come with the person."""
    if request.endpoint != "mailbox.show" or (request.view_args or {}).get("mailbox") != "INBOX" or request.args.get("query"):
        return None
    done = preferences().first_cards
    return (done + 1, first_cards.PAGES[done]) if done < first_cards.ALL else None


@blueprint.post("/help/cards/seen")
def put_card_away() -> Any:
    """This card and those before it; with the number of the last one, all."""
    number = request.form.get("card", "")
    first_cards.put_away(current_user(), int(number) if number.isascii() and number.isdigit() and len(number) < 3 else 0)
    return redirect(url_for("mailbox.show", mailbox="INBOX"), 303)
