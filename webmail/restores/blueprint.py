"""Restores blueprint: the view modules of this area register their routes with it; it imports none of them."""

from flask import Blueprint

blueprint = Blueprint("restores", __name__)
