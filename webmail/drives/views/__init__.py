"""Views of drives: importing these modules registers their routes."""

from webmail.drives.blueprint import blueprint
from webmail.drives.views import folders, undoing

__all__ = ["blueprint", "folders", "undoing"]
