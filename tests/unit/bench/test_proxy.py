"""What the recorder of the benchmark takes for a page's own round trips."""

from __future__ import annotations

from tests.bench.proxy import Exchange, Recorder


def test_what_is_counted_beside_the_page_is_not_the_page() -> None:
    recorder = Recorder(0, [Exchange(1, b"a SELECT INBOX"), Exchange(2, b"")])
    page = [Exchange(1, b"a NOOP"), Exchange(2, b"a UID SEARCH")]
    recorder.exchanges += [page[0], Exchange(3, b""), Exchange(3, b"a LIST"), page[1]]
    assert recorder.of_pages(2) == page


def test_the_first_connection_is_the_pages_own_though_it_is_new() -> None:
    recorder = Recorder(0, [Exchange(4, b""), Exchange(4, b"a SELECT INBOX"), Exchange(5, b"a LIST")])
    assert recorder.of_pages(0) == recorder.exchanges[:2]
    assert recorder.of_pages(3) == []
