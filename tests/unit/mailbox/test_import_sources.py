"""Import sources: what is in a file of mail, and what of it is left out and told, without a mail server."""

from __future__ import annotations

import errno
import io
import zipfile

import pytest

from webmail.config import Settings
from webmail.mailbox import import_sources
from webmail.mailbox.import_sources import MailFile, NotMail, TooManyFiles
from webmail.mailbox.incoming import Incoming, Unreadable
from webmail.storage import StorageFull, local


def letter(number: int) -> bytes:
    return f"From: z@far.example\r\nSubject: {number}\r\nMessage-ID: <{number}@far.example>\r\n\r\nBonjour\r\n".encode()


def mbox(*numbers: int) -> bytes:
    return b"".join(b"From z@far.example Tue Mar  5 09:00:00 2019\n" + letter(number) + b"\n" for number in numbers)


def archive(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as out:
        for name, content in files.items():
            out.writestr(name, content)
    return made


@pytest.fixture
def read(tmp_path):
    """The messages of a file, "subject" or (name, reason); and that they are as many as were counted."""

    def told(file: io.BytesIO) -> list[object]:
        source = MailFile(file, Settings(uploads_folder=str(tmp_path)))
        found = list(source.messages(0, None))
        assert source.count() == len(found)
        return [(one.name, one.reason) if isinstance(one, Unreadable) else subject(one) for one in found]

    return told


def subject(one: Incoming) -> str:
    assert one.content is not None
    return one.content.split(b"Subject: ")[1].split(b"\r\n")[0].decode()


def test_an_archive_of_folders_is_read_in_its_order(read) -> None:
    found = read(archive({"a.mbox": mbox(1, 2), "b/3.eml": letter(3), "c.txt": b"no mail", "__MACOSX/x.eml": letter(9)}))
    assert found == ["1", "2", "3"]


def test_all_files_of_an_archive_together_have_a_limit_and_what_is_beyond_it_is_told(read, monkeypatch) -> None:
    monkeypatch.setattr(import_sources, "LARGEST_INSIDE", 1_000_000)
    bomb = mbox(1) + b" " * 900_000
    assert read(archive({"a.mbox": bomb, "b.mbox": bomb, "c.eml": letter(3)})) == ["1", ("b.mbox", "too-large"), "3"]


def test_an_mbox_beyond_the_limit_is_not_cut_in_the_middle_of_a_message(read, monkeypatch) -> None:
    monkeypatch.setattr(import_sources, "LARGEST_INSIDE", len(mbox(1)) + 20)
    assert read(archive({"a.mbox": mbox(1, 2)})) == [("a.mbox", "too-large")]


def test_an_archive_of_too_many_files_is_refused_before_its_table_is_in_memory(read, monkeypatch) -> None:
    many = archive({f"{number}.eml": letter(number) for number in range(20)})
    monkeypatch.setattr(import_sources, "MOST_ENTRIES", 19)
    with pytest.raises(TooManyFiles):
        read(many)
    monkeypatch.setattr(import_sources, "MOST_ENTRIES", 20)
    monkeypatch.setattr(import_sources, "_LARGEST_DIRECTORY", 20 * 46)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(TooManyFiles):
        read(many)


def test_a_full_disk_is_no_damaged_file(read, monkeypatch) -> None:
    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(local.tempfile, "SpooledTemporaryFile", lambda *_given, **_named: Full())
    with pytest.raises(StorageFull):
        read(archive({"a.mbox": mbox(1, 2)}))


def test_a_damaged_file_is_told_and_the_others_are_read(read) -> None:
    whole = bytearray(archive({"a.eml": letter(1), "b.eml": letter(2)}, zipfile.ZIP_STORED).getvalue())
    whole[whole.index(b"Bonjour")] ^= 0xFF
    assert read(io.BytesIO(whole)) == [("a.eml", "broken"), "2"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"PK\x03\x04 not an archive"])
def test_other_files_are_no_mail(read, content: bytes) -> None:
    with pytest.raises(NotMail):
        read(io.BytesIO(content))
