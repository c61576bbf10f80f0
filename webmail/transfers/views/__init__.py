"""Views of large files sent as links: importing these modules registers their routes."""

from webmail.transfers.blueprint import blueprint
from webmail.transfers.views import letters, mine, new, uploads, words

CHECK_TOKENS_THEMSELVES = (*uploads.CHECK_TOKENS_THEMSELVES, *new.CHECK_TOKENS_THEMSELVES)  # their bodies are read as they come

__all__ = ["CHECK_TOKENS_THEMSELVES", "blueprint", "letters", "mine", "new", "uploads", "words"]
