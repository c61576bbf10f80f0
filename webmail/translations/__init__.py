"""Catalogues: the words of pages in other languages, compiled from their sources (.po) into what gettext reads (.mo).

They are built at installation and at each update (COMMAND), and are not in Git. A built one ends with the digest of its source,
so that an old one is known whatever its date. Where one is missing or old, an application builds it in its instance folder.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from webmail.config import ownership

FOLDER = Path(__file__).resolve().parent
COMMAND = ".venv/bin/python -m webmail.translations"
_DIGEST = 64  # the last characters of a built catalogue: gettext doesn't read that far, and deploy/prepare.sh does


def to_build(folder: Path | None = None) -> list[Path]:
    """The catalogues that are missing in a folder (this one), or were built from another source."""
    return [target for target, source in _catalogues(folder or FOLDER) if _end(target) != _digest(source)]


def build(folder: Path | None = None) -> list[Path]:
    """Build what is missing or old in a folder (this one); returns what was written. Raises OSError.

    0.4 s for one. Others who read or build at the same moment see a whole file, whichever it is.
    """
    written = to_build(folder)
    for target, source in _catalogues(folder or FOLDER):
        if target in written:
            ownership.replace_file(target, _compiled(source), 0o644)
    return written


def ready(instance: Path) -> Path:
    """The folder from which pages take their words; that of the instance, built now, where this one lacks any. Raises OSError."""
    if not to_build():
        return FOLDER
    folder = instance / "translations"
    build(folder)
    return folder


def _catalogues(folder: Path) -> list[tuple[Path, Path]]:
    """Each built one, which may be missing, and its source."""
    sources = sorted(FOLDER.glob("*/LC_MESSAGES/*.po"))
    return [(folder / source.relative_to(FOLDER).with_suffix(".mo"), source) for source in sources]


def _digest(source: Path) -> bytes:
    return hashlib.sha256(source.read_bytes()).hexdigest().encode()


def _end(target: Path) -> bytes:
    """The digest of the source that this was built from; empty if it can't be read."""
    try:
        return target.read_bytes()[-_DIGEST:]
    except OSError:
        return b""


def _compiled(source: Path) -> bytes:
    content, out = source.read_bytes(), io.BytesIO()
    write_mo(out, read_po(io.BytesIO(content), locale=source.parent.parent.name))
    return out.getvalue() + hashlib.sha256(content).hexdigest().encode()
