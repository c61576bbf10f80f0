"""What visits are made with: a small application around the real auth area, and a browser that fills in its forms."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, session
from flask_babel import Babel
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader

from webmail.auth import guard, views
from webmail.auth.passwords import hashing
from webmail.auth.sessions import cookies
from webmail.models import User
from webmail.web import setup as web
from webmail.web.current import current_user
from webmail.web.forms import double_submits

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse"

FRAME = (
    "<title>{% block title %}{% endblock %}</title>{% for n in notices() %}<p role=status>{{ n.text }}</p>{% endfor %}"
    "{% block body %}{% block main %}{% endblock %}{% endblock %}"
)
OTHER_AREAS = {
    "/encryption": "keys.show",  # pages that those of one's account lead to
    "/account/name": "accounts.show_name",
    "/account/data": "accounts.show_data",
    "/account/delete": "accounts.show_deletion",
    "/settings/<slug>": "settings.show_page",
}
TEMPLATES = {"base.html": FRAME, "app.html": FRAME, "error.html": "<h1>{{ title }}</h1><p>{{ advice }}</p>", "_notices.html": ""}


def add(address: str) -> User:
    local, _, domain = address.rpartition("@")
    return User.create(address=address, local=local, domain=domain, password=_hashed())


@cache
def _hashed() -> str:
    return hashing.hash_password(PASSWORD)


def build(settings) -> Flask:
    app = Flask("auth-tests", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.jinja_loader = ChoiceLoader([DictLoader(TEMPLATES), FileSystemLoader(ROOT / "templates")])
    app.config.update(SECRET_KEY=settings.secret_key, TESTING=True, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    app.extensions["settings"] = settings
    Htmx(app)
    Babel(app, default_locale="en")
    app.session_interface = cookies.RowSessions(settings)
    guard.install(app)
    protection = CSRFProtect(app)
    for view in views.NEED_NO_TOKEN:
        protection.exempt(view)
    web.install(app)
    double_submits.install(app)
    app.register_blueprint(views.blueprint)
    app.register_blueprint(_inbox())
    app.add_url_rule("/language", "settings.set_language", guard.public(lambda: "ok"), methods=["POST"])
    app.add_url_rule("/support", "accounts.show_support", guard.public(lambda: "ok"))
    for path, endpoint in OTHER_AREAS.items():
        app.add_url_rule(path, endpoint, lambda **_values: "ok")
    app.jinja_env.globals |= {"services_are_offered": lambda: False, "connected_services": list}  # of another area
    return app


def _inbox() -> Blueprint:
    inbox = Blueprint("mailbox", __name__)

    @inbox.route("/mailbox/<path:mailbox>", methods=["GET", "POST"])
    @guard.may_come_ahead
    def show(mailbox: str) -> str:
        return f"{mailbox} of {current_user().address}, password {session.password!r}"

    @inbox.get("/remember/<word>")
    def remember(word: str) -> str:
        session["word"] = word
        return "remembered"

    @inbox.get("/word")
    def word() -> str:
        return session.get("word", "nothing")

    @inbox.get("/healthz")
    @guard.public
    def healthz() -> str:
        return "ok"

    @inbox.get("/language/<code>")
    @guard.public
    def language(code: str) -> str:
        session["language"] = code
        session["planted"] = "by somebody else"
        return "ok"

    return inbox


class Browser:
    """A visitor over TLS who keeps cookies and fills in forms."""

    def __init__(self, app: Flask, base: str = "https://mail.lycee.example") -> None:
        self.app, self.base, self.client = app, base, app.test_client()

    def get(self, path: str, **kwargs):
        return self.client.get(path, base_url=self.base, **kwargs)

    def post(self, path: str, data=None, form_at: str = "/login", **kwargs):
        """Send the form of the page at `form_at`."""
        fields = {"csrf_token": csrf(self.get(form_at)), **(data or {})}
        return self.client.post(path, data=fields, base_url=self.base, **kwargs)

    def sign_in(self, name: str = "alice", password: str = PASSWORD, **fields):
        return self.post("/login", {"username": name, "password": password, **fields})

    def cookie(self, name: str = "__Host-traboule"):
        return self.client.get_cookie(name, domain="mail.lycee.example")


def csrf(response) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', response.text)
    assert found, response.text
    return found[1]
