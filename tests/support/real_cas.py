"""A real CAS server beside the tests: django-cas-server, in a Python of its own (tests/providers/cas.py). Alice signs in there."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.demo.child import HOST, free_ports
from webmail.config.providers import Cas

ROOT = Path(__file__).resolve().parents[2]
_PLACE = ROOT / ".venv" / "cas"
NAME, PASSWORD = "alice", "cas secret"  # as tests/providers/cas.py has them


@contextmanager
def real_cas(public_url: str, **rules: object) -> Iterator[Cas]:
    """What the webmail at `public_url` is told of it. Skips the test where it is not installed."""
    if not (_PLACE / "installed").exists():
        pytest.skip("no django-cas-server: see deploy/prepare.sh")
    [port] = free_ports(1)
    pattern = f"^{re.escape(public_url)}/login"
    with tempfile.TemporaryDirectory() as folder:
        command = [str(_PLACE / "bin" / "python"), str(ROOT / "tests" / "providers" / "cas.py"), folder, str(port), pattern]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                assert process.stdout is not None
                assert any(line.strip() == "ready" for line in process.stdout), "the CAS server does not start"
                given = {"create": True, "make_groups": True, "groups_attribute": "groups", **rules}
                yield Cas(url=f"http://{HOST}:{port}/cas", title="ENT Lyon", **given)  # type: ignore[arg-type]
            finally:
                process.kill()
