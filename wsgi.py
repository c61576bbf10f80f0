"""What a WSGI server runs: `granian --interface wsgi wsgi:app`."""

import gc
import sys

from webmail import create_app
from webmail.cli.late_commands import only_looks, start_of
from webmail.config.settings import ConfigError

gc.disable()  # all that is imported stays: looking through it again and again, as it grows, took an eighth of a start
try:
    app = create_app(start=start_of(sys.argv), make_secret=not only_looks(sys.argv))
except ConfigError as error:
    sys.exit(f"Traboule can't start: {error}")

# What was imported stays until the end: without this, each full collection looks through all of it again, during some request.
# The 2,000 pieces of rubbish among it may stay: looking for them takes a tenth of a start.
gc.freeze()
gc.enable()
