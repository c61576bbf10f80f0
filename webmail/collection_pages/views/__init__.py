"""Views of books and calendars as such: importing these modules registers their routes."""

from webmail.collection_pages import texts
from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.views import collection_page, common, delegation, listing, published_links, sharing, trash

__all__ = ["published_links", "blueprint", "common", "listing", "delegation", "collection_page", "sharing", "trash", "texts"]
