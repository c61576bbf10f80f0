"""FileSender's REST API, asked of the fake and of the real one: what one answers, the other does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from tests.support import filesender_ground
from tests.support.filesender_ground import BOTH, Ground
from webmail.filesender.client import (
    FileSenderAwayError,
    FileSenderError,
    FileSenderServer,
    RemoteRefusal,
    RemoteTransfer,
    WantedTransfer,
)
from webmail.models import now

_people = count(1)


@pytest.fixture(scope="module", params=BOTH)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    with filesender_ground.running(request.param) as found:
        yield found


@pytest.fixture
def somebody() -> str:
    """An address that no other test uses, with its own quota."""
    return f"person{next(_people)}@lycee.example"


@pytest.fixture
def server(ground: Ground, somebody: str) -> FileSenderServer:
    return FileSenderServer(ground.access(somebody))


def wanted(**given) -> WantedTransfer:
    usual = {"files": (("plan.txt", 5, "text/plain"),), "sender": "alice@lycee.example", "expires": now() + timedelta(days=5)}
    return WantedTransfer(**{**usual, **given})


def sent(server: FileSenderServer, **given) -> RemoteTransfer:
    """A transfer that can be downloaded, its files full of `x`."""
    made = server.create(wanted(**given))
    for file in made.files:
        if file.size:
            server.put_chunk(file.id, 0, b"x" * file.size, file.size, made.token)
        server.complete_file(file.id, made.token)
    return server.complete(made.id)


def refusal(call, *arguments) -> RemoteRefusal:
    with pytest.raises(FileSenderError) as found:
        call(*arguments)
    return found.value.refusal


def test_it_tells_its_name_its_chunks_and_its_clock(server):
    told = server.info()
    assert (told.name, told.chunk) == ("FileSender", 262_144)
    assert told.skew is not None and abs(told.skew) < 10


def test_somebody_it_has_never_seen_can_send_at_once(server):
    assert server.create(wanted()).files


def test_a_link_goes_there_whole_and_is_listed(server):
    found = sent(server, files=(("plan.txt", 5, "text/plain"), ("vide", 0, ""), ("zéro.txt", 1, "")), subject="Été")
    assert found.link.startswith("http")
    assert sorted((one.name, one.size) for one in found.files) == [("plan.txt", 5), ("vide", 0), ("zéro.txt", 1)]
    listed = server.transfers()
    assert [(one.id, one.subject, one.size) for one in listed] == [(found.id, "Été", 6)]


def test_a_chunk_that_is_the_letter_0_is_signed_as_php_does(server):
    made = server.create(wanted(files=(("one", 1, ""),)))
    server.put_chunk(made.files[0].id, 0, b"0", 1, made.token)


def test_bytes_may_come_twice_until_it_is_complete_and_completing_twice_does_nothing(server):
    made = server.create(wanted())
    file = made.files[0]
    for _time in range(2):
        server.put_chunk(file.id, 0, b"hello", 5, made.token)
        server.complete_file(file.id, made.token)
    assert server.complete(made.id).id == server.complete(made.id).id
    assert refusal(server.put_chunk, file.id, 0, b"hello", 5, made.token) is RemoteRefusal.COMPLETE


def test_nothing_is_complete_before_its_files_are(server):
    made = server.create(wanted())
    assert refusal(server.complete, made.id) is RemoteRefusal.OTHER
    assert server.transfers() == []


def test_bytes_beyond_the_end_are_refused(server):
    made = server.create(wanted())
    assert refusal(server.put_chunk, made.files[0].id, 5, b"!", 5, made.token) is RemoteRefusal.OTHER


def test_people_are_added_reminded_and_removed(server):
    found = sent(server, recipients=("bob@lycee.example", "c@x.example"), subject="Sujet", message="Bonjour", language="fr")
    assert [one.address for one in found.recipients] == ["bob@lycee.example", "c@x.example"]
    assert found.link == ""
    server.remind(found.id)
    added = server.add_recipient(found.id, "dora@x.example")
    server.remove_recipient(added.id)
    assert [one.address for one in server.transfer(found.id).recipients] == ["bob@lycee.example", "c@x.example"]


def test_folders_among_the_files_are_no_files_to_send(server):
    made = server.create(wanted(files=(("dossier/note.txt", 5, "text/plain"),)))
    assert {one.name for one in made.files} == {"dossier", "dossier/note.txt"}
    done = next(one for one in made.files if one.size)
    server.put_chunk(done.id, 0, b"hello", 5, made.token)
    server.complete_file(done.id, made.token)
    assert [one.name for one in server.complete(made.id).files] == ["dossier/note.txt"]


def test_a_date_is_extended_as_often_as_it_says(server):
    found = sent(server)
    before = found.expires
    for days in (5, 3):
        assert server.transfer(found.id).extension == days
        after = server.extend(found.id).expires
        assert after - before == timedelta(days=days)
        before = after
    assert server.transfer(found.id).extension == 0
    assert refusal(server.extend, found.id) is RemoteRefusal.BROKE


def test_what_is_closed_is_listed_no_more(server):
    found = sent(server)
    server.close(found.id)
    server.close(found.id)
    assert server.transfers() == []


def test_what_was_never_complete_is_discarded(server):
    made = server.create(wanted())
    server.discard(made.id)
    assert refusal(server.transfer, made.id) is RemoteRefusal.GONE


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"files": (("virus.exe", 5, ""),)}, RemoteRefusal.TYPE),
        ({"files": (("big", 3_500_000, ""),)}, RemoteRefusal.TOO_LARGE),
        ({"files": tuple((f"file{at}", 1, "") for at in range(6))}, RemoteRefusal.FILES),
        ({"recipients": tuple(f"p{at}@x.example" for at in range(4))}, RemoteRefusal.RECIPIENTS),
        ({"recipients": ("nobody",)}, RemoteRefusal.ADDRESS),
        ({"files": (("l'été.txt", 5, ""),)}, RemoteRefusal.NAME),
        ({"expires": now() + timedelta(days=50)}, RemoteRefusal.DATE),
        ({"message": "Voyez http://x.example/"}, RemoteRefusal.BROKE),
    ],
)
def test_it_refuses(server, given, why):
    assert refusal(server.create, wanted(**given)) is why


def test_what_is_there_counts_for_the_quota(server):
    big = {"files": (("big", 2_500_000, ""),)}
    made = server.create(wanted(**big))
    for at in range(0, 2_500_000, 262_144):
        data = b"x" * min(262_144, 2_500_000 - at)
        server.put_chunk(made.files[0].id, at, data, 2_500_000, made.token)
    server.complete_file(made.files[0].id, made.token)
    server.complete(made.id)
    assert refusal(server.create, wanted(**big)) is RemoteRefusal.QUOTA


def test_guests_are_invited_reminded_and_go_on_being_named(server, somebody):
    made = server.invite(
        somebody, "guest@x.example", "Photos", "Merci", now() + timedelta(days=3), once=True, only_me=True
    )  # fmt: skip
    server.remind_guest(made.id)
    assert [(one.address, one.subject, one.url[:4]) for one in server.guests()] == [("guest@x.example", "Photos", "http")]
    server.remove_guest(made.id)
    assert [one.id for one in server.guests()] == [made.id]


def test_others_see_nothing_of_it(ground, server, somebody):
    found = sent(server)
    other = FileSenderServer(ground.access("other@lycee.example"))
    assert refusal(other.transfer, found.id) is RemoteRefusal.GONE
    assert found.id not in [one.id for one in other.transfers()]


def test_a_wrong_secret_and_unknown_names_are_told_apart(ground, somebody):
    mine = ground.access(somebody)
    assert refusal(FileSenderServer(replace(mine, secret="another")).transfers) is RemoteRefusal.SIGNATURE
    assert refusal(FileSenderServer(replace(mine, application="nobody")).transfers) is RemoteRefusal.UNKNOWN
    assert refusal(FileSenderServer(replace(mine, application="")).transfers) is RemoteRefusal.UNKNOWN
    assert FileSenderServer(replace(mine, user="a+b c@lycee.example")).transfers() == []


def test_a_clock_that_is_slow_is_refused_and_one_that_is_fast_is_not(ground, somebody):
    assert refusal(FileSenderServer(ground.access(somebody), clock=lambda: time.time() - 20).transfers) is RemoteRefusal.CLOCK
    assert FileSenderServer(ground.access(somebody), clock=lambda: time.time() + 20).transfers() == []


def test_another_page_is_no_filesender(ground, somebody):
    with pytest.raises(FileSenderAwayError):
        FileSenderServer(replace(ground.access(somebody), url=f"{ground.address}/nothing.php")).transfers()
    with pytest.raises(FileSenderAwayError):
        FileSenderServer(replace(ground.access(somebody), url="http://127.0.0.1:9/rest.php")).transfers()
