"""Blueprint of the pages for books and calendars as such: the view modules register their routes with it; it imports none."""

from flask import Blueprint

blueprint = Blueprint("collections", __name__)
