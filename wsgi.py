"""What a WSGI server runs: `granian --interface wsgi wsgi:app`."""

import sys

from webmail import create_app
from webmail.config import ConfigError

try:
    app = create_app()
except ConfigError as error:
    sys.exit(f"Traboule can't start: {error}")
