"""Blueprint of the pages about other calendar servers: view modules register their routes with it; it imports none of them."""

from flask import Blueprint

blueprint = Blueprint("dav", __name__)
