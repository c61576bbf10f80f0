"""A real CAS server, django-cas-server, for tests: `python cas.py FOLDER PORT PATTERN`, run by its own Python (.venv/cas).

Alice signs in as alice with the password "cas secret"; PATTERN says which addresses it leads back to. "ready" on standard output.
"""

import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

FOLDER, PORT, PATTERN = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

import django  # noqa: E402
from django.conf import settings  # noqa: E402

settings.configure(
    SECRET_KEY="for tests alone", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, USE_TZ=True, LANGUAGE_CODE="en",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "cas.sqlite"), "OPTIONS": {"timeout": 10}}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
        "django.contrib.staticfiles", "cas_server",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.locale.LocaleMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request", "django.contrib.messages.context_processors.messages"]},
    }],
    DEFAULT_AUTO_FIELD="django.db.models.AutoField", STATIC_URL="/static/", CAS_NEW_VERSION_HTML_WARNING=False,
    CAS_AUTH_CLASS="cas_server.auth.TestAuthUser", CAS_TEST_USER="alice", CAS_TEST_PASSWORD="cas secret",
    CAS_TEST_ATTRIBUTES={"mail": "alice@lycee.example", "displayName": "Alice Martin", "groups": ["4e B", "Maths"]},
    CAS_SHOW_SERVICE_MESSAGES=False, CAS_INFO_MESSAGES_ORDER=[], CAS_SLO_TIMEOUT=5,
)  # fmt: skip
django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [path("cas/", include("cas_server.urls", namespace="cas_server"))]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    from cas_server.models import ReplaceAttributName, ServicePattern

    call_command("migrate", verbosity=0)
    allowed = ServicePattern.objects.create(pos=1, name="traboule", pattern=PATTERN, single_log_out=True)
    for name in ("mail", "displayName", "groups"):
        ReplaceAttributName.objects.create(name=name, service_pattern=allowed)
    with make_server("127.0.0.1", PORT, get_wsgi_application(), Server, Quiet) as server:
        print("ready", flush=True)
        server.serve_forever()
