"""The blueprint of this area: its view modules register their routes with it, and it knows none of them."""

from flask import Blueprint

blueprint = Blueprint("help", __name__)
