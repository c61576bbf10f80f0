"""What a browser fetches for FileSender's page to send files, beside ours (tests/support/filesender_server.py starts it)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from tests.support import filesender_server
from tests.support.filesender_server import PAGE, NotHere, fetched

__all__ = ["NotHere", "PageWeight", "running", "weight"]


@dataclass(frozen=True, slots=True)
class PageWeight:
    """What a browser fetches for a page, in bytes, each file compressed by gzip."""

    html: int
    styles: int
    scripts: int

    @property
    def all(self) -> int:
        return self.html + self.styles + self.scripts


@contextmanager
def running(base: Path) -> Iterator[str]:
    """Its address, while the block runs. Raises NotHere, ServiceFailedError."""
    with filesender_server.running(base) as found:
        yield found.address


def weight(address: str) -> PageWeight:
    """Of the page to send files, as it comes the first time."""
    html = fetched(address + PAGE)
    text = html.decode()
    styles = re.findall(r'<link[^>]*stylesheet[^>]*href="([^"]+)"', text)
    scripts = re.findall(r'<script[^>]*src="([^"]+)"', text)
    sums = [sum(len(gzip.compress(fetched(urljoin(address, one)))) for one in group) for group in (styles, scripts)]
    return PageWeight(len(gzip.compress(html)), *sums)
