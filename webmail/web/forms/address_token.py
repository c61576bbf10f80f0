"""The token of a form in its address, for views that read the body themselves as it comes: Flask-WTF would have read all of it.

It is of one session and of one form alone, since addresses stand in logs.
"""

from __future__ import annotations

import secrets

from flask import current_app, request, session
from flask_wtf.csrf import CSRFError, generate_csrf
from itsdangerous import BadSignature, URLSafeSerializer


def address_token(form: str) -> str:
    """The token for the query field `csrf` of the form of this name."""
    generate_csrf()
    return str(_serializer(form).dumps(session["csrf_token"]))


def check_address_token(form: str) -> None:
    """Raises CSRFError unless the request's address has it."""
    try:
        given = _serializer(form).loads(request.args.get("csrf", ""))
    except BadSignature:
        given = None
    known = session.get("csrf_token", "")
    if not known or not isinstance(given, str) or not secrets.compare_digest(given, known):
        raise CSRFError("the form's token is missing or of another session")


def _serializer(form: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt=form)
