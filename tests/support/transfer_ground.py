"""Transfers for tests: an application with people, and files that are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from webmail.config.settings import Settings
from webmail.models import Transfer, TransferFile, User, now
from webmail.transfers import content, store
from webmail.transfers.options import TransferOptions
from webmail.transfers.uploads import checking


def pieces_of(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def put_file(
    transfer: Transfer, path: str, data: bytes, settings: Settings, *, media_type: str = "", link_key: bytes | None = None
) -> TransferFile:
    """A file of a transfer, whole and checked."""
    file = store.add_file(transfer, path, len(data), media_type, settings, link_key=link_key)
    if data:
        content.append(file.content, 0, pieces_of(data), settings, link_key)
    checking.check(file.content, settings, link_key)
    return TransferFile.get_by_id(file.id)


def published(
    owner: User, files: dict[str, bytes], settings: Settings, *, recipients: Iterable[tuple[str, str]] = (),
    options: TransferOptions | None = None, link_key: bytes | None = None, days: float = 15,
) -> Transfer:  # fmt: skip
    """A transfer whose link works."""
    transfer = store.create(owner, settings, link_key=link_key)
    for path, data in files.items():
        put_file(transfer, path, data, settings, link_key=link_key)
    store.publish(transfer, options or TransferOptions(), now() + timedelta(days=days), list(recipients), settings)
    return transfer


def form_body(fields: Iterable[tuple[str, str]], files: Iterable[tuple[str, bytes]] = (), of: str = "files") -> tuple[bytes, str]:
    """A form with files (RFC 7578) and its Content-Type, as browsers send it: Werkzeug's client leaves a line out of empty fields."""
    parts = [f'name="{name}"\r\n\r\n'.encode() + value.encode() for name, value in fields]
    parts += [
        f'name="{of}"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode() + data
        for name, data in files
    ]
    body = b"".join(b"--limit-of-parts\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
    return body + b"--limit-of-parts--\r\n", "multipart/form-data; boundary=limit-of-parts"
