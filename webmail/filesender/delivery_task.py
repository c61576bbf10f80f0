"""Delivery: the task that brings the files of a transfer to FileSender, chunk by chunk, and goes on after a kill where it was.

Its recipients are written to by the last call alone (`complete`), which does nothing a second time; so whatever is done twice
before, nobody gets two mails. What was begun there and is not wanted any more is discarded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, NoReturn

from webmail.config.settings import Settings
from webmail.errors import ServerAwayError
from webmail.filesender import access, handover
from webmail.filesender.client import FileSenderError, FileSenderServer, RemoteRefusal, RemoteTransfer, WantedTransfer
from webmail.filesender.handover import Stop
from webmail.models import DeliveryState, FilesenderDelivery, TransferFile, now
from webmail.storage import FileGoneError
from webmail.tasks import store as tasks
from webmail.tasks.kinds import TaskFailedError, TaskKind, TaskRun, TaskStoppedError
from webmail.transfers import content, options, store
from webmail.transfers.content import ContentDamagedError, WrongKeyError
from webmail.transfers.options import TransferOptions

_UNUSUAL = re.compile(r"[^ /\w.,;:!@#$%^&*)(\]\[-]")  # what FileSender's `valid_filename_regex` leaves out, unless it is changed
_OPTIONS = {  # theirs by ours
    "copy_to_me": "email_me_copies",
    "tell_uploaded": "email_upload_complete",
    "tell_each": "email_download_complete",
    "tell_daily": "email_daily_statistics",
    "tell_closed": "email_report_on_closing",
    "receipt": "enable_recipient_email_download_complete",
    "hide_address": "hide_sender_email",
    "signed_in_only": "must_be_logged_in_to_download",
    "mail_code": "verify_email_to_download",
}


def work(run: TaskRun) -> dict[str, Any]:
    """Bring it there. A refusal ends the task, and lets the transfer be put together again."""
    delivery = FilesenderDelivery.get_or_none(FilesenderDelivery.id == run.arguments["delivery"])
    if delivery is not None and delivery.state == DeliveryState.SENT:  # a worker died as it had just been done
        store.release(delivery.transfer, run.settings)
        return {"delivery": delivery.id}
    if delivery is None or not handover.is_wanted(delivery):
        raise TaskFailedError(Stop.CANCELLED)
    mine = access.find(run.user, run.settings)
    if mine is None:
        _fail(delivery, Stop.NO_ACCESS)
    server = FileSenderServer(mine)
    try:
        return _brought(run, delivery, server)
    except FileSenderError as error:
        _discard(delivery, server)
        _fail(delivery, error.refusal)
    except (ContentDamagedError, FileGoneError, WrongKeyError):
        _discard(delivery, server)
        _fail(delivery, Stop.BROKE)
    except TaskStoppedError:
        if tasks.find(run.user, run.task.id).cancelling:
            handover.stopped(delivery, Stop.CANCELLED, DeliveryState.WAITING)
        if not handover.is_wanted(delivery):
            _discard(delivery, server)
        raise


def _fail(delivery: FilesenderDelivery, problem: str) -> NoReturn:
    handover.stopped(delivery, problem)
    raise TaskFailedError(problem)


def _discard(delivery: FilesenderDelivery, server: FileSenderServer) -> None:
    """What it has so far goes; where that fails, FileSender cleans up by itself what was never complete."""
    if delivery.remote is not None:
        with suppress(FileSenderError, ServerAwayError):
            server.discard(delivery.remote)


def _brought(run: TaskRun, delivery: FilesenderDelivery, server: FileSenderServer) -> dict[str, Any]:
    if delivery.state == DeliveryState.WAITING:
        _put_all(run, delivery, server)
        if not handover.ending(delivery):
            raise TaskStoppedError(f"delivery {delivery.id} is not wanted any more")
    remote = server.complete(int(delivery.remote or 0))
    handover.arrived(delivery, remote, run.settings)
    return {"delivery": delivery.id}


def _put_all(run: TaskRun, delivery: FilesenderDelivery, server: FileSenderServer) -> None:
    """All bytes, from where the last worker was."""
    files, chunk = store.files(delivery.transfer), server.info().chunk
    total = sum(max(-(-file.size // chunk), 1) for file in files)
    cursor = run.cursor
    if cursor is None or cursor["chunk"] != chunk:  # an administrator changed its chunks: from the beginning
        _discard(delivery, server)
        cursor = _created(run, delivery, server, files, chunk)
        with run.step(cursor, done=0, total=total):
            pass
    token = handover.opened(delivery, run.user.id, run.settings).get("token", "")
    done = run.task.progress
    for place in range(cursor["file"], len(files)):
        file, number = files[place], cursor["numbers"][place]
        for at, data in _chunks(file, cursor["at"], chunk, run.settings):
            server.put_chunk(number, at, data, file.size, token)
            done += 1
            if not handover.is_wanted(delivery):
                raise TaskStoppedError(f"delivery {delivery.id} is not wanted any more")
            cursor["at"] = at + len(data)
            with run.step(cursor, done=min(done, total)):
                pass
        server.complete_file(number, token)
        cursor["file"], cursor["at"] = place + 1, 0
        with run.step(cursor, done=min(done, total)):
            pass


def _created(
    run: TaskRun, delivery: FilesenderDelivery, server: FileSenderServer, files: list[TransferFile], chunk: int
) -> dict[str, Any]:  # fmt: skip
    """Begin it there. Names that it does not take get underscores."""
    names = [str(file.path) for file in files]
    try:
        remote = server.create(_wanted(run, delivery, files, names))
    except FileSenderError as error:
        plain = _plain(names)
        if error.refusal is not RemoteRefusal.NAME or plain == names:
            raise
        names = plain
        remote = server.create(_wanted(run, delivery, files, names))
    changed = {file.path: name for file, name in zip(files, names, strict=True) if file.path != name}
    told = json.dumps(changed, ensure_ascii=False)
    handover.keep(delivery, {"token": remote.token}, run.settings, remote=remote.id, names=told)
    numbers = _numbers(remote, names, files)
    return {"numbers": numbers, "chunk": chunk, "file": 0, "at": 0}


def _wanted(run: TaskRun, delivery: FilesenderDelivery, files: list[TransferFile], names: list[str]) -> WantedTransfer:
    transfer = delivery.transfer
    most = run.settings.filesender.most_days if run.settings.filesender else 1
    return WantedTransfer(
        files=tuple((name, file.size, file.media_type) for name, file in zip(names, files, strict=True)),
        sender=run.user.address,
        expires=min(transfer.expires, now() + timedelta(days=most)),
        recipients=tuple(handover.addresses(delivery)),
        subject=transfer.subject,
        message=transfer.message,
        language=transfer.language,
        options=their_options(options.load(transfer)),
    )


def their_options(chosen: TransferOptions) -> dict[str, bool]:
    """FileSender's names of what was chosen, each said: what is left out would be as its administrator has it."""
    return {theirs: bool(getattr(chosen, ours)) for ours, theirs in _OPTIONS.items()}


def _plain(names: list[str]) -> list[str]:
    """Each with underscores for letters that FileSender does not take, and no two the same."""
    found: list[str] = []
    for name in names:
        plain = base = _UNUSUAL.sub("_", name)
        count = 1
        while plain in found:
            count += 1
            stem, dot, ending = base.rpartition(".")
            plain = f"{stem}_{count}.{ending}" if dot and "/" not in ending else f"{base}_{count}"
        found.append(plain)
    return found


def _numbers(remote: RemoteTransfer, names: list[str], files: list[TransferFile]) -> list[int]:
    """The number there of each file: by name and size, since it answers in any order, with folders among them."""
    left = list(remote.files)
    found = []
    for name, file in zip(names, files, strict=True):
        same = next((one for one in left if one.name == name and one.size == file.size), None)
        if same is None:
            raise FileSenderError(RemoteRefusal.NAME, f"FileSender has no {name!r}")
        left.remove(same)
        found.append(same.id)
    return found


def _chunks(file: TransferFile, start: int, size: int, settings: Settings) -> Iterator[tuple[int, bytes]]:
    """The bytes of a file from `start` on, so many at a time, with where each begins."""
    stored = file.content
    if stored is None:
        raise FileGoneError(f"nothing of {file.upload} is there")
    if start >= file.size:
        return
    buffer, at = bytearray(), start
    for piece in content.read(stored, settings, start):
        buffer += piece
        while len(buffer) >= size:
            yield at, bytes(buffer[:size])
            del buffer[:size]
            at += size
    if buffer:
        yield at, bytes(buffer)


KIND = TaskKind(handover.KIND, work)
