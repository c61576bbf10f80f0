"""Image cache: remote images fetched through `http_fetch.py`, validated, and cached in the storage with a size limit."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from webmail import http_fetch
from webmail.admission import Admission, AdmissionRefusedError
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.mime.formats import image_info
from webmail.storage import Storage, StorageArea, StorageAwayError, open_storage

log = logging.getLogger(__name__)

SECONDS = 8.0  # timeout for one image
AGE_DAYS = 30
FAILED_SECONDS = 600  # how long failures are cached
_ACCEPT = "image/avif,image/webp,image/png,image/jpeg,image/gif;q=0.9,image/*;q=0.5"
_FETCHING = Admission(8, of_one=2, waiting=16, patience=1.0)  # so that threads are left for mail
_SLOW_SECONDS = 60  # how long a host is skipped after a timeout
_MOST_SLOW = 1_000
_SWEEP_SHARE = 10  # sweep after writing one in this many parts of the cache's size

_lock = threading.Lock()
_written: dict[str, int] = {}  # bytes since the last sweep, by instance
_slow: dict[str, float] = {}  # hosts to skip, and until when (monotonic)


class NoPictureError(Exception):
    """No image: the server is unreachable, must not be requested, or sent something else."""


@dataclass(frozen=True, slots=True)
class CachedImage:
    type: str
    content: bytes


def picture(url: str, settings: Settings, person: int = 0) -> CachedImage:
    """The image at an http(s) URL, from the cache or the web; `person` is the user id. Raises NoPictureError.

    Fails quickly where many are fetched or the host has timed out recently; such failures are not cached.
    """
    name = _name(url)
    if settings.image_cache_mb and (kept := _cached_image(_files(settings), name)) is not None:
        return kept
    try:
        with _FETCHING.admit(person):
            found = _fetched_unless_slow(url, name, settings)
    except AdmissionRefusedError as error:
        raise NoPictureError("too many images are being fetched") from error
    _keep(name, found.content, settings)
    return found


def _fetched_unless_slow(url: str, name: str, settings: Settings) -> CachedImage:
    host = _host(url)  # checked only now: a fetch that was before this one may have just timed out on it
    with _lock:
        if _slow.get(host, 0.0) > time.monotonic():
            raise NoPictureError("this host was too slow a moment ago")
    started = time.monotonic()
    try:
        return _fetched(url)
    except NoPictureError:
        if time.monotonic() - started >= SECONDS * 0.9:
            _note_slow(host)
        _keep(name, b"", settings)
        raise


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:  # unbalanced brackets: fetching will fail
        return ""


def _note_slow(host: str) -> None:
    with _lock:
        _slow[host] = time.monotonic() + _SLOW_SECONDS
        for old in list(_slow)[:-_MOST_SLOW]:
            del _slow[old]


def _fetched(url: str) -> CachedImage:
    try:
        answer = http_fetch.get(url, accept=_ACCEPT, seconds=SECONDS)
    except http_fetch.NotFetchedError as error:
        log.info("a remote image was not fetched: %s", error)
        raise NoPictureError(str(error)) from error
    kind = image_info.displayable_type(answer.content) if image_info.is_declared(answer.type) else ""
    if answer.status != 200 or not kind:
        raise NoPictureError(f"{answer.status}, {answer.type[:50]!r} is no picture")
    return CachedImage(kind, answer.content)


# --- cache -----------------------------------------------------------------------------------------------------------


def _files(settings: Settings) -> Storage:
    return open_storage(settings, StorageArea.IMAGES)


def _name(url: str) -> str:
    name = hashlib.sha256(url.encode()).hexdigest()
    return f"{name[:2]}/{name}"


def _cached_image(files: Storage, name: str) -> CachedImage | None:
    """The cached image, or None. An empty file is a cached failure: raises NoPictureError then."""
    try:
        age, content = files.about(name).age, b"".join(files.get(name))
    except MailError:
        return None
    if not content and age < FAILED_SECONDS:
        raise NoPictureError("could not be had a short while ago")
    kind = image_info.displayable_type(content)
    return CachedImage(kind, content) if kind and age < AGE_DAYS * 86_400 else None


def _keep(name: str, content: bytes, settings: Settings) -> None:
    """Write the cache file; a failure is only logged."""
    if not settings.image_cache_mb:
        return
    try:
        _files(settings).put(name, [content], sync=False)
    except MailError as error:
        log.warning("a remote image could not be kept: %s", error)
        return
    with _lock:
        here = settings.instance
        _written[here] = _written.get(here, 0) + len(content) + 4096  # each file takes at least one block
        due = _written[here] > settings.image_cache_mb * 1_000_000 // _SWEEP_SHARE
        if due:
            _written[here] = 0
    if due:
        sweep(settings)


def sweep(settings: Settings) -> int:
    """Remove expired files, then the oldest until the rest fits; returns how many were removed. None while storage is away."""
    files, gone = _files(settings), 0
    room = settings.image_cache_mb * 1_000_000 * (_SWEEP_SHARE - 1) // _SWEEP_SHARE
    try:
        for file in sorted(files.list(), key=lambda file: file.age):
            room -= max(file.size, 4096)
            if room < 0 or file.age > (AGE_DAYS * 86_400 if file.size else FAILED_SECONDS):
                files.delete(file.name)  # other processes sweep too
                gone += 1
    except StorageAwayError as error:
        log.warning("the cache of remote images is not cleaned up: %s", error)
    return gone
