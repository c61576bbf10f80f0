"""Import sources: what is in a file of mail, and what of it is left out and told, without a mail server."""

from __future__ import annotations

import errno
import io
import zipfile

import pytest

from webmail.config.settings import Settings
from webmail.mailbox.imports import import_archive
from webmail.mailbox.imports.import_sources import MailFile, NotMailError, TooManyFilesError
from webmail.mailbox.imports.incoming import Incoming, Unreadable
from webmail.storage import StorageFullError, local


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
    monkeypatch.setattr(import_archive, "LARGEST_INSIDE", 1_000_000)
    bomb = mbox(1) + b" " * 900_000
    assert read(archive({"a.mbox": bomb, "b.mbox": bomb, "c.eml": letter(3)})) == ["1", ("b.mbox", "too-large"), "3"]


def test_an_mbox_beyond_the_limit_is_not_cut_in_the_middle_of_a_message(read, monkeypatch) -> None:
    monkeypatch.setattr(import_archive, "LARGEST_INSIDE", len(mbox(1)) + 20)
    assert read(archive({"a.mbox": mbox(1, 2)})) == [("a.mbox", "too-large")]


def test_an_archive_of_too_many_files_is_refused_before_its_table_is_in_memory(read, monkeypatch) -> None:
    many = archive({f"{number}.eml": letter(number) for number in range(20)})
    monkeypatch.setattr(import_archive, "MOST_ENTRIES", 19)
    with pytest.raises(TooManyFilesError):
        read(many)
    monkeypatch.setattr(import_archive, "MOST_ENTRIES", 20)
    monkeypatch.setattr(import_archive, "LARGEST_DIRECTORY", 20 * 46)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(TooManyFilesError):
        read(many)


def test_a_full_disk_is_no_damaged_file(read, monkeypatch) -> None:
    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(local.tempfile, "SpooledTemporaryFile", lambda *_given, **_named: Full())
    with pytest.raises(StorageFullError):
        read(archive({"a.mbox": mbox(1, 2)}))


def test_a_damaged_file_is_told_and_the_others_are_read(read) -> None:
    whole = bytearray(archive({"a.eml": letter(1), "b.eml": letter(2)}, zipfile.ZIP_STORED).getvalue())
    whole[whole.index(b"Bonjour")] ^= 0xFF
    assert read(io.BytesIO(whole)) == [("a.eml", "broken"), "2"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"PK\x03\x04 not an archive"])
def test_other_files_are_no_mail(read, content: bytes) -> None:
    with pytest.raises(NotMailError):
        read(io.BytesIO(content))


# --- where messages go, by who made the file -------------------------------------------------------------------------


@pytest.fixture
def filed(tmp_path):
    """Where each message of a file goes, "subject -> folder flags tags", with what is left of its header."""

    def told(file: io.BytesIO, name: str = "mail.zip", **ticks: bool) -> list[str]:
        found = MailFile(file, Settings(uploads_folder=str(tmp_path)), name, **ticks).messages(0, None)
        return [in_words(one) for one in found if isinstance(one, Incoming)]

    return told


def in_words(one: Incoming) -> str:
    filing = one.filing
    where = f"<{filing.role}>" if filing.role else "/".join(filing.path)
    marks = [*filing.flags, *(f"+{tag}" for tag in filing.tags), *(["skip"] if filing.skip else [])]
    return " ".join([subject(one), "->", where, *marks])


def raw(number: int, *more: str, top: tuple[str, ...] = ()) -> bytes:
    return (
        "".join(f"{line}\n" for line in (*top, f"From: z{number}@far.example", f"Subject: {number}", *more)).encode() + b"\nA\n"
    )


def box(*messages: bytes, line: bytes = b"From z@far.example Tue Mar  5 09:00:00 2019", between: bytes = b"\n") -> bytes:
    return b"".join(line + b"\n" + one + between for one in messages)


BAD = ("X-Mozilla-Status: 0008", "X-Gmail-Labels: Corbeille", "Status: D", "X-Status: D", "X-Keywords: evil")
TAKEOUTS_LINE = b"From 1790000000000000000@xxx Thu Jan 02 10:11:12 +0000 2024"


def test_headers_of_senders_decide_nothing(filed) -> None:
    plain = box(raw(1, *BAD), raw(2), raw(3))
    assert filed(io.BytesIO(plain), "Classe.mbox") == ["1 -> Classe \\Seen", "2 -> Classe \\Seen", "3 -> Classe \\Seen"]
    assert filed(io.BytesIO(raw(1, *BAD)), "a.eml") == ["1 -> <inbox> \\Seen"]
    assert filed(archive({"Classe/1.eml": raw(1, *BAD)})) == ["1 -> Classe \\Seen"]
    mozilla = box(raw(1, BAD[1], top=("X-Mozilla-Status: 0001",)), line=b"From - Tue Mar  5 09:00:00 2019")
    assert filed(io.BytesIO(mozilla), "Sent") == ["1 -> <sent> \\Seen"]


def test_what_is_not_taken_over_stays_in_the_message(tmp_path) -> None:
    [one] = MailFile(io.BytesIO(raw(1, *BAD)), Settings(uploads_folder=str(tmp_path))).messages(0, None)
    assert isinstance(one, Incoming) and one.content == raw(1, *BAD).replace(b"\n", b"\r\n")


def test_french_takeout(filed, tmp_path) -> None:
    labels = [
        "=?UTF-8?Q?Messages_archiv=C3=A9s,Ouvert,Cat=C3=A9gorie=C2=A0:_Mises_=C3=A0_jour?=",
        "=?UTF-8?Q?Messages_envoy=C3=A9s,Ouvert?=",
        "=?UTF-8?Q?Bo=C3=AEte_de_r=C3=A9ception,Non_lus,Important?=",
        "=?UTF-8?Q?Messages_archiv=C3=A9s,Ouvert,Boulot,Bin?=",
        "=?UTF-8?Q?Bo=C3=AEte_de_r=C3=A9ception,Muted,Ouvert?=",
        "Corbeille,Ouvert",
        "Spam,Non lus",
    ]
    top = [("X-GM-THRID: 1790000000000000000", f"X-Gmail-Labels: {one}") for one in labels]
    takeout = box(*(raw(number, BAD[0], top=one) for number, one in enumerate(top)), line=TAKEOUTS_LINE)
    name = "Takeout/Messages/Tous les messages, y compris ceux du dossier Spam.mbox"
    expected = [
        "0 -> <archive> \\Seen", "1 -> <sent> \\Seen", "2 -> <inbox> $Important", "3 -> Boulot \\Seen +Bin", "4 -> <inbox> \\Seen",
        "5 -> <trash> \\Seen", "6 -> <junk>",
    ]  # fmt: skip
    assert filed(archive({name: takeout})) == expected
    assert filed(io.BytesIO(takeout), "Messages.mbox") == expected
    for one in MailFile(io.BytesIO(takeout), Settings(uploads_folder=str(tmp_path))).messages(0, None):
        assert isinstance(one, Incoming) and one.content and b"X-G" not in one.content and b"X-Mozilla-Status" in one.content


def test_a_message_in_the_files_of_two_labels_is_one(tmp_path) -> None:
    one = box(raw(1, top=("X-GM-THRID: 1", "X-Gmail-Labels: Inbox,Boulot")), line=TAKEOUTS_LINE)
    packed = archive({"Takeout/Mail/Inbox.mbox": one, "Takeout/Mail/Boulot.mbox": one})
    found = MailFile(packed, Settings(uploads_folder=str(tmp_path))).messages(0, None)
    assert [one.again for one in found if isinstance(one, Incoming)] == [False, True]


MOZILLAS_LINE = b"From - Tue Mar  5 09:00:00 2019"
READ = ("X-Mozilla-Status: 0001", "X-Mozilla-Status2: 00000000", "X-Mozilla-Keys: $label2 classe                 ")


@pytest.mark.parametrize("above", ["", "x.default/Mail/Local Folders/"])
def test_folders_of_thunderbird(filed, above) -> None:
    files = {
        "Inbox": box(raw(1, top=READ), line=MOZILLAS_LINE), "Inbox.msf": b"// <!-- index -->",
        "Inbox.sbd/Classe 3e B": box(raw(2, top=READ[:1]), line=b"From "), "Sent": box(raw(3, top=READ[:1]), line=MOZILLAS_LINE),
        "Corbeille": box(raw(4), line=MOZILLAS_LINE), "Projets": b"", "Projets.sbd/2024.sbd/Sent": box(raw(5), line=MOZILLAS_LINE),
        "Trash": box(raw(6, top=("X-Mozilla-Status: 0009",)), line=MOZILLAS_LINE), "Archives.sbd/2019": box(raw(7)),
        "Envoy&AOk-s": box(raw(8), line=MOZILLAS_LINE), "filterlog.html": b"From me", "prefs.dat": b"From - Tue",
    }  # fmt: skip
    assert filed(archive({above + name: content for name, content in files.items()})) == [
        "1 -> <inbox> \\Seen $label2 +classe", "2 -> Inbox/Classe 3e B \\Seen", "3 -> <sent> \\Seen", "4 -> Corbeille \\Seen",
        "5 -> Projets/2024/Sent \\Seen", "6 -> <trash> \\Seen skip", "7 -> Archives/2019 \\Seen", "8 -> Envoyés \\Seen",
    ]  # fmt: skip


def test_two_accounts_of_thunderbird_keep_their_folders_apart(filed) -> None:
    one = box(raw(1), line=MOZILLAS_LINE)
    packed = archive({f"Mail/{account}/{name}": one for account in ("Local Folders", "pop.free.fr") for name in ("Inbox", "Classe")}
                     | {"Mail/pop.free.fr/Inbox.msf": b"-"})  # fmt: skip
    assert [words.split(" -> ")[1] for words in filed(packed)] == [
        "<inbox> \\Seen", "Local Folders/Classe \\Seen", "<inbox> \\Seen", "pop.free.fr/Classe \\Seen",
    ]  # fmt: skip


def test_folders_of_apple_mail(filed) -> None:
    files = {"Classe.mbox/mbox": box(raw(1)), "Classe.mbox/table_of_contents": b"\0", "Été.mbox/3e B.mbox/mbox": box(raw(2))}
    assert filed(archive(files)) == ["1 -> Classe \\Seen", "2 -> Été/3e B \\Seen"]


def test_maildir(filed) -> None:
    files = {
        "Maildir/cur/1551776400.M1P2.host:2,S": raw(1), "Maildir/new/1551776401.M2P2.host": raw(2),
        "Maildir/tmp/1551776402.M2P2.host": raw(3), "Maildir/.Projets.2024/cur/1551776403.M1.host:2,DFRS": raw(4),
        "Maildir/.Envoy&AOk-s/cur/1551776404.M1.host;2,PS": raw(5), "Maildir/.Trash/cur/1551776405.M1.host:2,ST": raw(6),
        "Maildir/dovecot-uidlist": b"3 V1", "Maildir/.Trash/maildirfolder": b"", "Maildir/cur/._1551776400": b"\0\5",
    }  # fmt: skip
    assert filed(archive(files)) == [
        "1 -> <inbox> \\Seen", "2 -> <inbox>", "4 -> Projets/2024 \\Draft \\Flagged \\Answered \\Seen",
        "5 -> Envoyés $Forwarded \\Seen", "6 -> Trash \\Seen skip",
    ]  # fmt: skip
    assert filed(archive({"Classe/cur/1.M1.host:2,S": raw(1)})) == ["1 -> Classe \\Seen"]


@pytest.mark.parametrize("beginning", [b"\xef\xbb\xbf", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf\n"])
def test_a_byte_order_mark_or_an_empty_line_at_the_beginning(filed, beginning) -> None:
    assert filed(io.BytesIO(beginning + box(raw(1), raw(2))), "Classe.mbox") == ["1 -> Classe \\Seen", "2 -> Classe \\Seen"]
    assert filed(io.BytesIO(beginning + raw(1)), "a.eml") == ["1 -> <inbox> \\Seen"]
    assert len(filed(archive({"a.eml": beginning + raw(1), "Classe": beginning + box(raw(2))}))) == 2


def test_an_mbox_without_lines_between(filed) -> None:
    assert len(filed(io.BytesIO(box(*(raw(number) for number in range(5)), between=b"")), "Classe.mbox")) == 5
    body = raw(1) + b"From Monday on 12 of 2024\nTo: be said\nFrom me to you: hello\n"
    assert len(filed(io.BytesIO(box(body, raw(2), between=b"")), "Classe.mbox")) == 2


@pytest.mark.parametrize("name", ["Corbeille", "Bin", "Spam", "Envoyés", "Trash"])
def test_own_folders_stay_what_they_are_unless_the_person_chooses(filed, name) -> None:
    for packed in (archive({f"{name}.mbox": box(raw(1))}), archive({f"{name}/1.eml": raw(1)})):
        assert filed(packed) == [f"1 -> {name} \\Seen"]
        [told] = filed(packed, special=True)
        assert told.startswith("1 -> <")
    assert filed(archive({f"Classe/{name}.mbox": box(raw(1))}), special=True) == [f"1 -> Classe/{name} \\Seen"]


def test_marks_of_other_programs_count_where_the_file_has_them_throughout(filed) -> None:
    mutts = box(raw(1, "Status: RO", "X-Status: AF"), raw(2, "Status: O"), raw(3))
    assert filed(io.BytesIO(mutts), "Classe.mbox") == [
        "1 -> Classe \\Seen \\Answered \\Flagged", "2 -> Classe", "3 -> Classe \\Seen",
    ]  # fmt: skip


def test_an_older_export_of_ours_is_known_by_a_tick(filed, tmp_path) -> None:
    letters = (b"Status: RO\nX-Status: F\n" + raw(1, *BAD), b"Status: O\n" + raw(2, top=("X-Gmail-Labels: Spam",)))
    old = archive({"Classe.mbox": box(*letters), "Corbeille.mbox": box(letters[1]), "INBOX/sous.mbox": box(letters[0])})
    assert filed(old, own=True) == [
        "1 -> Classe \\Seen \\Flagged", "2 -> Classe", "2 -> Corbeille", "1 -> INBOX/sous \\Seen \\Flagged",
    ]  # fmt: skip
    first = next(MailFile(old, Settings(uploads_folder=str(tmp_path)), own=True).messages(0, None))
    assert isinstance(first, Incoming) and first.content == raw(1, *BAD).replace(b"\n", b"\r\n")


def test_names_of_files_in_other_character_sets(filed) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as out:
        out.writestr("\u00ca.mbox", box(raw(1)))  # marked as UTF-8
        out.writestr("XX.mbox", box(raw(2)))
        out.writestr("YY.mbox", box(raw(3)))
    content = packed.getvalue().replace(b"XX.mbox", "é.mbox".encode()).replace(b"YY.mbox", "ÊZ.mbox".encode("cp850"))
    assert filed(io.BytesIO(content)) == ["1 -> Ê \\Seen", "2 -> é \\Seen", "3 -> ÊZ \\Seen"]
