"""A folder for a demo that nobody needs afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def passing_folder() -> Iterator[Path]:
    """A folder that the mail server's user reaches: in another the demo would put a link to /var/tmp, and stay there.

    /var/tmp, since /tmp may be memory. Whatever is in it, or linked from it, is gone afterwards.
    """
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        try:
            yield folder
        finally:
            for link in folder.iterdir():
                if link.is_symlink():
                    shutil.rmtree(link.resolve(), ignore_errors=True)
