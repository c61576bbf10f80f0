"""Archives of a transfer's files, written as they are read: their size is known before, so that a part never looks whole."""

from __future__ import annotations

from collections.abc import Iterator

from webmail.config.settings import Settings
from webmail.mime.formats.zip_stream import ZipStream, stored_size
from webmail.models import TransferFile
from webmail.transfers import content
from webmail.transfers.uploads import paths

_SHORT = 10  # characters of a file's upload: enough to tell 10,000 apart, and 200 fit an address
LONGEST_CHOICE = 4000


def names(files: list[TransferFile]) -> list[str]:
    """The name of each in an archive: no two that differ by case alone, and none that is another's folder."""
    taken = {part for file in files for part in _folders(file.path)}
    others = _Taken(taken)
    tried: dict[str, int] = {}  # thousands may differ by case alone: each goes on where the last one found its number
    given = []
    for file in files:
        name = file.path
        if (same := name.casefold()) in taken:
            name, tried[same] = paths.next_free(name, others, tried.get(same, 2))
        taken.add(name.casefold())
        given.append(name)
    return given


def size(files: list[TransferFile]) -> int:
    """Bytes of the archive."""
    return stored_size((name, file.size) for name, file in zip(names(files), files, strict=True))


def stream(files: list[TransferFile], settings: Settings, link_key: bytes | None = None) -> Iterator[bytes]:
    """The archive. Raises what `content.read` does, at any time."""
    with ZipStream() as packed:
        for name, file in zip(names(files), files, strict=True):
            assert file.content is not None
            yield from packed.file(name, file.created, content.read(file.content, settings, link_key=link_key))
        yield from packed.end()


def written_choice(files: list[TransferFile], chosen: set[str]) -> str:
    """Some of a transfer's files as few characters for an address; "" for all of them, or for none."""
    some = [file.upload[:_SHORT] for file in files if file.upload in chosen]
    return "" if len(some) == len(files) else "".join(some)


def read_choice(files: list[TransferFile], text: str) -> list[TransferFile]:
    """The files of a choice that are still there, in the transfer's order."""
    wanted = {text[at : at + _SHORT] for at in range(0, min(len(text), LONGEST_CHOICE), _SHORT)}
    return [file for file in files if file.upload[:_SHORT] in wanted]


def _folders(path: str) -> Iterator[str]:
    parts = path.casefold().split("/")
    for count in range(1, len(parts)):
        yield "/".join(parts[:count])


class _Taken:
    """Names that are taken, whatever their case."""

    def __init__(self, names_: set[str]) -> None:
        self._names = names_

    def __contains__(self, name: object) -> bool:
        return str(name).casefold() in self._names
