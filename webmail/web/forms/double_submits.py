"""Double submits: a form with an id (`form_id()` in its template) that is sent twice is carried out once, and both clicks get one
answer.

Two clicks of an impatient hand, a browser that sends again, a line that broke after the form had gone: the second finds the first
by a digest of who sent it and of all its fields, waits until that is answered, and gets the same answer. Who goes back, changes a
word and sends again has sent another form. What was refused, or undone, is not remembered, so it can be sent again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import time
from contextlib import suppress

from flask import Flask, Response, current_app, g, redirect, request, session
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from webmail import vault
from webmail.database import double_submits
from webmail.models import SentForm
from webmail.web.current import settings
from webmail.web.forms.body_limits import is_read_by_view
from webmail.web.responses.errors import error_page

FIELD = "form_id"
PATIENCE = 20.0  # seconds that a second click waits for the first one
_STEP = 0.05
MOST_PAGES = 20  # of one person that are kept at once; each further form is still carried out once
_LARGEST = 300_000  # bytes of a page that is answered again
_LONGEST_ADDRESS = 4_000
_PIECE = 1 << 20
_OF = ":"  # in keys, after whose they are
_ID = re.compile(r"[0-9a-f]{32}")


def install(app: Flask) -> None:
    """After the guard and the check of tokens: what they refuse is nobody's first click."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_give_up)
    app.jinja_env.globals[FIELD] = form_id


def form_id() -> Markup:
    """The field of a form that creates or mails something."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, secrets.token_hex(16))


def _begin() -> AnyResponse | None:
    if request.method != "POST" or is_read_by_view(current_app.view_functions.get(request.endpoint or "")):
        return None
    if not _ID.fullmatch(request.form.get(FIELD, "")):
        return None
    key, end = _key(), time.monotonic() + PATIENCE
    while not double_submits.begin(key):
        while (row := double_submits.answer_of(key)) is not None and not row.status and time.monotonic() < end:
            time.sleep(_STEP)
        if row is not None:
            return _again(row)
    g.form_key = key
    return None


def _again(row: SentForm) -> AnyResponse:
    advice = _("Check whether it went through before you send it again.")
    with suppress(vault.CannotOpenError, ValueError):  # of another session of theirs
        if row.location:
            return redirect(_opened(row.location), row.status)
        if row.answer is not None:
            return Response(vault.open_for_session(bytes(row.answer), *_session()), row.status, mimetype="text/html")
    return error_page(_("This form has already been sent"), advice, 409)


def _end(response: Response) -> Response:
    key = g.pop("form_key", None)
    if key is None:
        return response
    location = response.headers.get("Location", "")
    if 300 <= response.status_code < 400 and len(location) <= _LONGEST_ADDRESS:
        double_submits.end(key, response.status_code, _sealed(location))
    elif response.status_code == 200 and session.user is not None and _is_page(response):  # type: ignore[attr-defined]
        double_submits.end(key, 200, answer=_kept_page(response, key.partition(_OF)[0] + _OF))
    else:
        double_submits.forget(key)
    return response


def current() -> str:
    """The key of the form that this request sends; "" where it has no id."""
    return str(g.get("form_key", ""))


def release(key: str) -> None:
    """What this form did was taken back: who sends it again wants it done again."""
    double_submits.forget(key)


def forget() -> None:
    """This form was interrupted by a question: it is carried out when it comes again."""
    _give_up(None)


def _give_up(_error: BaseException | None) -> None:
    if key := g.pop("form_key", None):
        double_submits.forget(key)


def _sealed(location: str) -> str:
    """An address may be a link that opens something to whoever has it: the database alone must not tell it."""
    return base64.b64encode(vault.seal_secret(location.encode(), settings().secret_key, FIELD, 0)).decode()


def _opened(sealed: str) -> str:
    return vault.open_secret(base64.b64decode(sealed), settings().secret_key, FIELD, 0).decode()


def _kept_page(response: Response, whose: str) -> bytes | None:
    """The page for the second click; None where this person has so many already that one more would only fill the database."""
    if double_submits.pages_of(whose) >= MOST_PAGES:
        return None
    return vault.seal_for_session(response.get_data(as_text=True), *_session())


def _is_page(response: Response) -> bool:
    return response.mimetype == "text/html" and not response.is_streamed and (response.content_length or 0) <= _LARGEST


def _session() -> tuple[str, str, int]:
    return session.token, settings().secret_key, session.user.id  # type: ignore[attr-defined]


def _key() -> str:
    """Whose it is, and the digest."""
    user = session.user  # type: ignore[attr-defined]
    whose, visitor = (str(user.id), "") if user is not None else ("", request.form.get("csrf_token", ""))
    asked = [request.full_path, request.headers.get("HX-Request", ""), request.headers.get("HX-Target", "")]
    fields = sorted(item for item in request.form.items(multi=True) if item[0] != "csrf_token")
    files = sorted((name, file.filename or "", _digest(file)) for name, file in request.files.items(multi=True))
    digest = hashlib.sha256(json.dumps([visitor, asked, fields, files]).encode(errors="replace")).hexdigest()
    return f"{whose}{_OF}{digest}"[: double_submits.LONGEST_KEY]


def _digest(file: FileStorage) -> str:
    """Of the content: a file that was corrected may have the name and the size of before."""
    file.seek(0)
    digest = hashlib.blake2b(digest_size=16)
    while piece := file.read(_PIECE):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()
