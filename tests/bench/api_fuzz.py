"""`make fuzz-api`: schemathesis asks for everything that `/api/openapi.json` describes, rightly and wrongly, for two minutes (FOR=600).

Schemathesis is in an environment of its own (`deploy/prepare.sh fuzz`). The server is Traboule's application in this process, on an
instance that goes with it, without the limits of how often one may ask, which two minutes would reach in a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support import auth_app, tokens
from webmail import create_app
from webmail.api.views import answering
from webmail.auth.devices import app_passwords
from webmail.database.connection import db
from webmail.rate_limits import QUARTER, RateLimit
from webmail.transfers.public import access

CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = CHECKOUT / ".venv" / "schemathesis" / "bin" / "schemathesis"
HOST = "127.0.0.1"
# The two of tus (application/offset+octet-stream): schemathesis writes no body of that media type, and ends with 1 for that alone.
# tests/unit/transfers/test_tus.py and the client in tests/tus ask for these, rightly and wrongly.
NOT_WRITTEN = "create_upload|upload_bytes"
# Not whether all is taken that the schema allows: whether an address is one, or a day is to come, no schema says.
LEFT_OUT = "positive_data_acceptance"


class _SilentHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Thousands of lines tell nothing; the report names what was wrong."""


def main() -> int:
    if not PROGRAM.exists():
        print("Run deploy/prepare.sh fuzz first.", file=sys.stderr)
        return 2
    seconds = os.environ.get("FOR") or "120"
    for module, name in ((answering, "REQUESTS"), (answering, "OF_NETWORK"), (access, "UNKNOWN")):
        setattr(module, name, RateLimit(getattr(module, name).name, 10**9, QUARTER))
    with TemporaryDirectory() as folder:
        return _run(Path(folder), seconds)


def _run(folder: Path, seconds: str) -> int:
    instance = folder / "instance"
    instance.mkdir()
    server = make_server(HOST, 0, lambda *_arguments: [], threaded=True, request_handler=_SilentHandler)
    key, address = tokens.key_file(folder), f"http://{HOST}:{server.port}"
    (instance / "config.toml").write_text(
        f'sign_in = "accounts"\ndomain = "lycee.example"\nsecure_cookies = false\napi = true\npublic_url = "{address}"\n'
        f'imap_security = "none"\nimap_port = 1\nsmtp_port = 1\ntoken_key_file = "{key}"\nsystem_address = "info@lycee.example"\n'
        "[transfers]\nreserve_mb = 0\n"
    )
    server.app = create_app(instance)
    with db.connection_context():
        password = app_passwords.add(auth_app.add("erin@lycee.example"), "fuzz", ("api",))[0]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    words = [
        str(PROGRAM), "run", f"{address}/api/openapi.json", "--header", f"Authorization: Bearer {password}", "--max-time", seconds,
        "--exclude-checks", LEFT_OUT, "--exclude-operation-id-regex", NOT_WRITTEN, "--workers", "2", "--continue-on-failure", "--suppress-health-check", "all", "--no-color",
    ]  # fmt: skip
    try:
        return subprocess.run(words, cwd=folder, check=False).returncode
    finally:
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
