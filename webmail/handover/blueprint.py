"""The blueprint of this area: its view modules register their routes with it, and it knows none of them."""

from flask import Blueprint

blueprint = Blueprint("handover", __name__)
