"""Blueprint of what scripts ask for: the views register their routes with it; it imports none of them."""

from flask import Blueprint

blueprint = Blueprint("api", __name__)
