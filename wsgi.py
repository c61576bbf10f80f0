"""What a WSGI server runs: `granian --interface wsgi wsgi:app`."""

from webmail import create_app

app = create_app()
