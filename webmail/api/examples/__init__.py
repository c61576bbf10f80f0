"""Examples of scripts: files that people copy from the page `/api`, and that tests run."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

_HOST = "https://webmail.lycee.example"


@cache
def _text(name: str) -> str:
    return (Path(__file__).parent / f"{name}.txt").read_text()


def for_host(name: str, host: str) -> str:
    """An example with the address of this installation."""
    return _text(name).replace(_HOST, host).replace(urlsplit(_HOST).netloc, urlsplit(host).hostname or "")
