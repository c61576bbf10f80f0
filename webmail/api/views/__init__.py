"""Views for scripts: importing these modules registers their routes, and the operations behind them."""

from webmail.api.blueprint import blueprint
from webmail.api.views import answering, api_page, guest_files, messages, uploads

CHECK_TOKENS_THEMSELVES = (answering.answer,)  # no cookie is read, so there is nothing that another site could misuse

__all__ = [
    "CHECK_TOKENS_THEMSELVES",
    "answering",
    "api_page",
    "blueprint",
    "guest_files",
    "messages",
    "uploads",
]
