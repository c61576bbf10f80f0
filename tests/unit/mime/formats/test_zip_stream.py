"""Zip archives as a stream, read by other programs, however many files they hold."""

from __future__ import annotations

import io
import shutil
import subprocess
import tracemalloc
import zipfile
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path

import pytest

from webmail.mime.formats import zip_stream
from webmail.mime.formats.zip_stream import ZipStream

AT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)


def archive(*files: tuple[str, bytes], at: datetime = AT, compressed: bool = False) -> bytes:
    made = io.BytesIO()
    with ZipStream() as stream:
        for name, content in files:
            made.writelines(stream.file(name, at, [content[:3], content[3:]], compressed=compressed))
        made.writelines(stream.end())
    return made.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_what_goes_in_comes_out(compressed: bool) -> None:
    files = {"a.eml": b"Bonjour" * 500, "Été/çà « 1 ».eml": b"", "c/d/\N{GRINNING FACE}.mbox": bytes(range(256)) * 99}
    found = zipfile.ZipFile(io.BytesIO(archive(*files.items(), compressed=compressed)))
    assert found.testzip() is None
    assert {name: found.read(name) for name in found.namelist()} == files
    assert found.getinfo("a.eml").date_time == (2026, 3, 4, 5, 6, 8)
    assert (found.getinfo("a.eml").compress_size < 3500) is compressed


@pytest.mark.parametrize(("at", "told"), [(1970, 1980), (2300, 2107)])
def test_years_it_can_not_hold(at: int, told: int) -> None:
    assert zipfile.ZipFile(io.BytesIO(archive(("a", b"x"), at=AT.replace(year=at)))).infolist()[0].date_time[0] == told


def test_without_a_file() -> None:
    assert zipfile.ZipFile(io.BytesIO(archive())).namelist() == []


@pytest.mark.skipif(not shutil.which("unzip"), reason="unzip is not installed")
def test_another_program_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    file.write_bytes(archive(*((f"dossier/{number}.eml", b"x" * number) for number in range(700)), compressed=True))
    assert subprocess.run(["unzip", "-tq", file], capture_output=True, check=False).returncode == 0


def test_many_files_take_constant_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is told of each at the end waits on disk."""
    monkeypatch.setattr(zip_stream, "_HELD", 50_000)
    tracemalloc.start()
    with ZipStream() as stream:
        size = sum(len(piece) for number in range(6_000) for piece in stream.file(f"{number:05d} lettre.eml", AT, [b"x"]))
        size += sum(map(len, stream.end()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400_000 < size


def test_more_files_than_an_old_archive_holds_are_all_read() -> None:
    made = io.BytesIO()
    with ZipStream() as stream:
        for number in range(66_000):
            made.writelines(stream.file(f"{number}", AT, [b"x"]))
        made.writelines(stream.end())
    assert len(zipfile.ZipFile(made).namelist()) == 66_000


def test_a_file_of_more_than_4_gib_and_what_comes_after_it(tmp_path: Path) -> None:
    """On a disk that leaves holes for nulls."""
    nulls, count = bytes(1 << 24), 260  # 4.06 GiB
    with (tmp_path / "large.zip").open("wb") as out, ZipStream() as stream:
        for piece in chain(
            stream.file("mail/INBOX.mbox", AT, repeat(nulls, count)), stream.file("README.txt", AT, [b"told"]), stream.end()
        ):
            if piece is nulls:
                out.seek(len(nulls), 1)
            else:
                out.write(piece)
    with zipfile.ZipFile(tmp_path / "large.zip") as read:
        large, small = read.infolist()
        assert large.file_size == count << 24 and small.header_offset > 1 << 32
        assert read.read("README.txt") == b"told"
