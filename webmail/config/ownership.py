"""Ownership: what root makes belongs to the owner of the folder around it, so that a command typed as root shuts nobody out."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path


def make_file(file: Path, mode: int) -> int:
    """Create a file; returns its open descriptor. Raises FileExistsError, OSError."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    give(descriptor, file.parent)
    return descriptor


def replace_file(file: Path, content: bytes, mode: int) -> None:
    """Write a file, and its folder where there is none. Others who read or write it at the same moment see a whole one. Raises
    OSError."""
    make_folder(file.parent, 0o755)
    new = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(make_file(new, mode), "wb") as out:
            out.write(content)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def make_empty(file: Path, mode: int) -> None:
    """Create an empty file unless it is there. Raises OSError."""
    with suppress(FileExistsError):
        os.close(make_file(file, mode))


def make_folder(folder: Path, mode: int) -> None:
    """Create a folder, and with usual permissions those around it, unless it is there. Raises OSError."""
    missing = [one for one in (*reversed(folder.parents), folder) if not one.exists()]
    for one in missing:
        one.mkdir(mode if one == folder else 0o777, exist_ok=True)
        if os.geteuid() == 0:
            descriptor = os.open(one, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                give(descriptor, one.parent)
            finally:
                os.close(descriptor)
    if not missing and not folder.is_dir():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))


def give(descriptor: int, folder: Path) -> None:
    """Give an open file that root just made to the owner of a folder. By descriptor: a name could lead elsewhere by now."""
    if os.geteuid() == 0:
        around = folder.stat()
        os.fchown(descriptor, around.st_uid, around.st_gid)
