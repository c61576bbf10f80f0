"""Views of books and calendars as such: importing these modules registers their routes."""

from webmail.collection_pages import texts
from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.views import addresses, collection_page, common, listing, managing, sharing, trash

__all__ = ["addresses", "blueprint", "common", "listing", "managing", "collection_page", "sharing", "trash", "texts"]
