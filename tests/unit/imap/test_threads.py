"""Conversations: the THREAD answer as UIDs, what is remembered, and when the server is asked again."""

from __future__ import annotations

import tracemalloc
from array import array
from contextlib import nullcontext
from typing import Any

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.account import Account, Password, Server
from webmail.errors import RefusedError, ServerAwayError
from webmail.imap.connections.connection import Command
from webmail.imap.lists import threads
from webmail.imap.lists.thread_answer import parsed
from webmail.imap.mailbox_list.new_mail import MailboxState

SERVER = Server("127.0.0.1", 1, "none")


def groups(answer: bytes) -> list[tuple[int, ...]]:
    found = parsed(answer)
    return [found[place] for place in range(len(found))]


def test_each_conversation_is_one_whatever_its_shape_newest_first() -> None:
    assert groups(b"(1)(2 5)(3 (4)(6 7))") == [(3, 4, 6, 7), (2, 5), (1,)]
    assert groups(b"((3)(9))(4 (5 (6)(7))(8))(2)") == [(3, 9), (4, 5, 6, 7, 8), (2,)]  # the parent of 3 and 9 is missing
    assert groups(b"(1 (2 (3)(4))(5))(6)") == [(6,), (1, 2, 3, 4, 5)]
    assert groups(b"") == []


@pytest.mark.parametrize("answer", [b"nonsense", b"(1 x)", b"(1)(2"])
def test_what_is_no_thread_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match="THREAD|invalid"):
        parsed(answer)


def test_a_number_that_is_no_uid_is_refused() -> None:
    with pytest.raises(OverflowError):
        parsed(b"(99999999999999)")


def test_a_chain_of_thousands_of_replies_each_forking_is_one_conversation() -> None:
    deep = b"(1 " + b" ".join(b"(%d)(%d" % (2 * k, 2 * k + 1) for k in range(1, 5000)) + b")" * 5000
    assert groups(deep) == [tuple(range(1, 10_000))]


def test_a_hundred_thousand_messages_take_less_than_a_second() -> None:
    answer = b"".join(b"(%d %d (%d)(%d))" % (n, n + 1, n + 2, n + 3) for n in range(1, 100_000, 4))
    with cpu_seconds(1):
        found = parsed(answer)
    assert len(found) == 25_000 and len(found.uids) == 100_000


@pytest.mark.parametrize("moved", [0, 1000], ids=["by uid", "by date"])
def test_many_messages_take_little_memory(moved: int) -> None:
    size = 20_001
    answer = b"".join(b"(%d)(%d %d)" % (n, n + 1, n + 2) for n in range(1, size, 3))
    by_date = array("I", [*range(size - moved + 1, size + 1), *range(1, size - moved + 1)])
    tracemalloc.start()
    try:
        parsed(answer, by_date)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 80 * size  # bytes: a million are 80 MB, if only for a moment


def test_where_messages_were_moved_in_their_dates_give_the_order() -> None:
    found = parsed(b"(1 9)(2 8)(4)", [2, 9, 1, 4, 8])
    assert [found[place] for place in range(3)] == [(2, 8), (4,), (9, 1)]
    assert parsed(b"(1 9)(2 8)(4)", [1, 2, 4, 8, 9]).arrived == parsed(b"(1)").arrived  # nothing is kept where UIDs say it


def test_a_page_and_the_conversation_of_a_message() -> None:
    found = parsed(b"(1)(2 5)(3 4)(7)")
    assert found.page(1, 2) == [(7,), (2, 5)]
    assert found.page(2, 2) == [(3, 4), (1,)]
    assert found.page(3, 2) == []
    assert found.with_uid(4) == (3, 4)
    assert found.with_uid(99) == (99,)
    assert found.newer_than({5, 7, 3}) == 2


class Fake:
    """A connection with a mailbox whose messages come and go."""

    def __init__(self, *, capabilities: set[str] | None = None, person: str = "ann") -> None:
        self.account = Account(f"{person}@x.example", SERVER, SERVER, Password(person, "secret"))
        self.capabilities = {"THREAD=REFS", "THREAD=REFERENCES", "ESEARCH"} if capabilities is None else capabilities
        self.mailbox, self.uidvalidity = "INBOX", 7
        self.threads = [[1, 3], [2]]
        self.asked: list[bytes] = []
        self.refuses = False
        self.by_date: list[int] = []
        self.reopened = 0

    def waiting(self, _times: float) -> Any:
        return nullcontext()

    def reopen(self) -> None:
        self.reopened += 1

    def has(self, capability: str) -> bool:
        return capability in self.capabilities

    @property
    def exists(self) -> int:
        return sum(map(len, self.threads))

    def select(self, mailbox: str, uidvalidity: int | None = None, *also: Command) -> dict[str, list[Any]]:
        uids = [uid for group in self.threads for uid in group]
        return {"FETCH": [b"%d (UID %d FLAGS ())" % (len(uids), max(uids))]} if also and uids else {}

    def run(self, *commands: Command) -> dict[str, list[Any]]:
        self.asked += [b" ".join(command[:2]) for command in commands]
        if commands[0][0] == b"UID SEARCH":
            uids = sorted(uid for group in self.threads for uid in group)
            return {"ESEARCH": [b'(TAG "A1") UID ALL ' + b",".join(b"%d" % uid for uid in uids)]}
        if self.refuses:
            raise RefusedError("UID THREAD: no")
        if b"INTHREAD" in commands[0]:
            return self._in_thread(commands)
        told = {"SORT": [b" ".join(b"%d" % uid for uid in self.by_date)]} if len(commands) > 1 else {}
        return told | {"THREAD": [b"".join(b"(" + b" ".join(b"%d" % uid for uid in group) + b")" for group in self.threads)]}

    def _in_thread(self, commands: tuple[Command, ...]) -> dict[str, list[Any]]:
        """Only the conversations of what is asked for; by date if `by_date` says how, else by UID."""
        low, _, range_end = commands[0][-1].partition(b":")
        wanted = {uid for group in self.threads for uid in group if (uid >= int(low) if range_end else uid == int(low))}
        groups = [group for group in self.threads if wanted.intersection(group)]
        also = {int(word) for command in commands for word in command[4:6] if command[3] == b"OR" and word.isdigit()}
        here = {uid for group in groups for uid in group} | also
        by_date = [uid for uid in self.by_date or sorted(here) if uid in here]
        told = {"THREAD": [b"".join(b"(" + b" ".join(b"%d" % uid for uid in group) + b")" for group in groups)]}
        return (told if len(commands) > 1 else {}) | {"SORT": [b" ".join(b"%d" % uid for uid in by_date)]}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    threads.forget_all()


def of(connection: Any) -> list[tuple[int, ...]]:
    found = threads.load(connection, "INBOX")
    assert found is not None
    return [found[place] for place in range(len(found))]


def test_the_server_is_asked_once_while_nothing_comes_or_goes() -> None:
    connection = Fake()
    assert of(connection) == of(connection) == [(1, 3), (2,)]
    assert connection.asked == [b"UID THREAD REFS"]


def test_an_arrival_is_threaded_anew() -> None:
    connection = Fake()
    of(connection)
    connection.threads[1].append(9)
    assert of(connection) == [(2, 9), (1, 3)]
    assert connection.asked == [b"UID THREAD REFS"] * 2


def test_an_arrival_that_takes_the_place_of_one_that_went_is_seen() -> None:
    connection = Fake()
    of(connection)
    connection.threads = [[1, 9], [2]]
    assert of(connection) == [(1, 9), (2,)]


def test_what_only_went_is_taken_out_without_threading_anew() -> None:
    connection = Fake()
    of(connection)
    connection.threads = [[1], [2]]
    assert of(connection) == [(2,), (1,)]
    assert connection.asked == [b"UID THREAD REFS", b"UID SEARCH RETURN (ALL)"]
    connection.threads = []
    assert of(connection) == []


def test_what_only_went_leaves_the_order_by_date() -> None:
    connection = Fake(capabilities={"THREAD=REFS", "ESEARCH", "SORT"})
    connection.threads, connection.by_date = [[1, 9], [2], [4]], [9, 1, 2, 4]
    assert of(connection) == [(4,), (2,), (9, 1)]
    connection.threads = [[1, 9], [4]]
    assert of(connection) == [(4,), (9, 1)]
    assert connection.asked == [b"UID THREAD REFS", b"UID SORT (ARRIVAL)", b"UID SEARCH RETURN (ALL)"]


DOVECOT = {"THREAD=REFS", "ESEARCH", "SORT", "PREVIEW=FUZZY"}


def test_dovecot_tells_only_the_conversations_of_what_arrived() -> None:
    connection = Fake(capabilities=DOVECOT)
    connection.threads = [[1, 3], [2], [4, 5], [6]]
    of(connection)
    connection.threads = [[1, 3, 8], [2], [4, 5, 6, 7], [9]]  # 7 joins two conversations
    assert of(connection) == [(9,), (1, 3, 8), (4, 5, 6, 7), (2,)]
    assert of(connection) == [(9,), (1, 3, 8), (4, 5, 6, 7), (2,)]
    assert connection.asked == [b"UID THREAD REFS", b"UID SORT (ARRIVAL)"] * 2


def test_what_arrives_after_messages_that_were_moved_in_is_the_newest() -> None:
    connection = Fake(capabilities=DOVECOT)
    connection.threads, connection.by_date = [[1, 3], [9], [2]], [1, 9, 2, 3]
    assert of(connection) == [(1, 3), (2,), (9,)]
    connection.threads, connection.by_date = [[1, 3], [9, 12], [2], [11]], [1, 9, 2, 3, 12, 11]
    assert of(connection) == [(11,), (9, 12), (1, 3), (2,)]
    assert len(connection.asked) == 4
    connection.threads[0].append(13)
    connection.by_date.append(13)
    assert of(connection) == [(1, 3, 13), (11,), (9, 12), (2,)]


@pytest.mark.parametrize(
    ("left", "by_date"),
    [([[1, 3], [2, 9]], [1, 9, 2, 3]), ([[1], [2, 9, 10]], [1, 2, 9, 10]), ([[3], [2, 8, 9]], [2, 3, 8, 9])],
    ids=["moved in with its old date", "the latest went too", "another went too"],
)
def test_where_that_is_not_enough_all_is_threaded_anew(left: list[list[int]], by_date: list[int]) -> None:
    connection = Fake(capabilities=DOVECOT)
    of(connection)
    connection.threads, connection.by_date = left, by_date
    assert sorted(of(connection)) == sorted(tuple(sorted(group, key=by_date.index)) for group in left)
    assert connection.asked[-2:] == [b"UID THREAD REFS", b"UID SORT (ARRIVAL)"]
    assert len(connection.asked) == 6


def test_dovecot_tells_one_conversation_and_what_is_remembered_of_all_serves_too() -> None:
    connection: Any = Fake(capabilities=DOVECOT)
    connection.threads, connection.by_date = [[1, 9], [2]], [9, 1, 2]
    assert threads.conversation_of(connection, "INBOX", 1) == (9, 1)
    assert threads.conversation_of(connection, "INBOX", 7) == (7,)
    assert connection.asked == [b"UID SORT (ARRIVAL)"] * 2
    of(connection)
    assert threads.conversation_of(connection, "INBOX", 1) == (9, 1)
    assert len(connection.asked) == 4


def test_without_esearch_what_went_is_threaded_anew() -> None:
    connection = Fake(capabilities={"THREAD=REFERENCES"})
    of(connection)
    connection.threads = [[1], [2]]
    assert of(connection) == [(2,), (1,)]
    assert connection.asked == [b"UID THREAD REFERENCES"] * 2


def test_a_server_that_does_not_thread_or_refuses_is_no_error() -> None:
    assert threads.load(Fake(capabilities=set()), "INBOX") is None  # type: ignore[arg-type]
    refusing = Fake()
    refusing.refuses = True
    assert threads.load(refusing, "INBOX") is None  # type: ignore[arg-type]
    assert threads.conversation_of(refusing, "INBOX", 3) == (3,)  # type: ignore[arg-type]


def test_where_threading_takes_too_long_it_is_not_tried_again_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    connection: Any = Fake()
    asked: list[Any] = []

    def slow(*commands: Command) -> None:
        asked.append(commands)
        raise ServerAwayError("timed out")

    monkeypatch.setattr(connection, "run", slow)
    assert threads.load(connection, "INBOX") is None and threads.gave_up(connection)
    assert threads.load(connection, "INBOX") is None and len(asked) == connection.reopened == 1
    assert threads.conversation_of(connection, "INBOX", 3) == (3,) and len(asked) == 1
    monkeypatch.undo()
    threads.forget_all()
    assert of(connection) == [(1, 3), (2,)] and not threads.gave_up(connection)


def test_one_conversation_that_takes_too_long_is_the_message_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    connection: Any = Fake(capabilities=DOVECOT)
    monkeypatch.setattr(connection, "run", lambda *_: (_ for _ in ()).throw(ServerAwayError("timed out")))
    assert threads.conversation_of(connection, "INBOX", 3) == (3,)
    assert threads.gave_up(connection) and connection.reopened == 1


def test_nobody_sees_what_is_remembered_for_another_and_another_age_counts_for_nothing() -> None:
    of(Fake(person="ann"))
    bob = Fake(person="bob")
    bob.threads = [[1], [3], [2]]
    assert of(bob) == [(3,), (2,), (1,)]
    bob.uidvalidity = 8
    of(bob)
    assert bob.asked == [b"UID THREAD REFS"] * 2


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_MOST_UIDS", 5)
    ann, bob = Fake(person="ann"), Fake(person="bob")
    of(ann), of(bob)
    of(bob), of(ann)
    assert (len(ann.asked), len(bob.asked)) == (2, 1)


def test_news_are_counted_by_what_came_and_never_more_than_is_there() -> None:
    before = MailboxState(7, 10, 5, 1)
    assert MailboxState.read(str(before)) == before
    assert MailboxState(7, 13, 8, 4).new_since(before) == 3
    assert MailboxState(7, 13, 1, 1).new_since(before) == 1
    assert MailboxState(7, 10, 4, 0).new_since(before) == 0
    assert MailboxState(8, 99, 9, 9).new_since(before) == 0
    assert MailboxState(7, 12, 7, 1).new_since(MailboxState(7, 0, 5, 1)) == 2  # the page knew no UIDNEXT


@pytest.mark.parametrize("words", ["", "1.2.3", "1.2.3.x", "1.2.3.4.5", "1.2.3.99999999999", "-1.2.3.4"])
def test_other_words_are_no_state(words: str) -> None:
    assert MailboxState.read(words) is None


def test_where_the_server_breaks_off_over_it_the_mailbox_is_listed_by_message(monkeypatch: pytest.MonkeyPatch) -> None:
    connection: Any = Fake()

    def broken(*_: Any) -> None:
        raise ServerAwayError("gone") from ConnectionResetError()

    monkeypatch.setattr(connection, "run", broken)
    assert [threads.load(connection, "INBOX") for _ in range(2)] == [None, None]
    assert connection.reopened == 1


def test_where_the_server_is_away_altogether_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    connection: Any = Fake()

    def away(*_: Any) -> None:
        raise ServerAwayError("gone")

    monkeypatch.setattr(connection, "run", away)
    monkeypatch.setattr(connection, "reopen", away)
    with pytest.raises(ServerAwayError):
        threads.load(connection, "INBOX")
    assert not threads.gave_up(connection)  # it was not the conversations
