"""Views of books and calendars as such: importing these modules registers their routes."""

from webmail.collection_pages import texts
from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.views import addresses, common, listing, managing, one, sharing, trash

__all__ = ["addresses", "blueprint", "common", "listing", "managing", "one", "sharing", "trash", "texts"]
