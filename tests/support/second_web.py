"""A second web process on the servers of a demo, for what an administrator may set otherwise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from deploy.demo.child import HOST, free_ports, start
from deploy.demo.services import BIN, CHECKOUT, Services


@contextmanager
def second_web(demo: Services, *, port: int = 0, **settings: object) -> Iterator[str]:
    """Its address; `settings` are settings of Traboule by their names. The demo's worker sends its mail.

    `port`: where others have to know it beforehand, as a provider does that leads back there.
    """
    port = port or free_ports(1)[0]
    given = {
        f"WEBMAIL_{name.upper()}": str(value).lower() if value in (True, False) else str(value)
        for name, value in settings.items()
    }
    environment = {**os.environ, **demo.settings(), **given, "PYTHONUNBUFFERED": "1"}
    options = f"--interface wsgi --host {HOST} --port {port} --workers 1 --blocking-threads 8 --no-ws"
    guarded = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", str(BIN / "granian"), *options.split(), "wsgi:app"]
    child = start(f"web-{port}", guarded, demo.base / "log" / f"web-{port}.log", port, environment, CHECKOUT)
    try:
        child.wait_for(_is_up, 60)
        yield f"http://{HOST}:{port}"
    finally:
        child.stop()


def _is_up(port: int) -> bool:
    with urlopen(f"http://{HOST}:{port}/healthz", timeout=5) as answer:
        return bool(answer.status == 200)
