"""Mailing lists and how they are left, as visits on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.newsletter import letter, opened
from tests.support.visits import Visitor
from webmail import http_fetch


def test_one_click(person: Visitor, fill: Callable[..., list[int]], world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    port, asked = world
    posted = http_fetch.post
    # the test's web server has no certificate: https as it stands in the header, http on the wire
    monkeypatch.setattr(http_fetch, "post", lambda url, form, **options: posted(url.replace("https:", "http:"), form, **options))
    page = opened(
        person, fill,
        letter(port, List_Unsubscribe=f"<https://list.example:{port}/leave?me>, <mailto:leave@list.example?subject=stop>",
               List_Unsubscribe_Post="List-Unsubscribe=One-Click", List_Archive="<https://list.example/archive>", List_Id="Soldes <soldes.list.example>"),
    )  # fmt: skip
    assert page.link("List archive") == "https://list.example/archive"
    question = person.get(page.link("Unsubscribe"))
    assert "soldes.list.example" in question.text and asked == []
    assert question.link("Write to leave@list.example") == "/compose?to=leave@list.example&subject=stop"
    done = person.submit(question, "form[action^='/unsubscribe/']")
    assert "list.example accepted your request" in done.notices
    assert done.one("h1").get_text() == "Soldes"
    assert asked[0].startswith(b"POST /leave?me HTTP/1.1\r\n") and asked[0].endswith(b"\r\n\r\nList-Unsubscribe=One-Click")


def test_what_became_of_it_is_told_as_it_is(
    person: Visitor, fill: Callable[..., list[int]], world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = opened(
        person,
        fill,
        letter(world[0], List_Unsubscribe="<https://inside.example/u>", List_Unsubscribe_Post="List-Unsubscribe=One-Click"),
    )
    for said, words in (
        (http_fetch.FetchedResponse("", 302, "", b""), "finish on its website"), (http_fetch.FetchedResponse("", 500, "", b""), "refused"), (http_fetch.NotFetchedError("x"), "did not respond"),
        (http_fetch.AddressForbiddenError("x"), "not allowed to contact"),
    ):  # fmt: skip

        def post(*_args: Any, said: Any = said, **_options: Any) -> http_fetch.FetchedResponse:
            if isinstance(said, Exception):
                raise said
            return said

        monkeypatch.setattr(http_fetch, "post", post)
        after = person.submit(person.get(page.link("Unsubscribe")), "form[action^='/unsubscribe/']")
        assert words in after.notices
        assert after.link("Open the page on inside.example") == "https://inside.example/u"


def test_a_list_that_can_not_be_left_at_once_offers_its_ways(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    page = opened(person, fill, letter(world[0], List_Unsubscribe="<http://p\u0430ypal.com/u>, <mailto:leave@list.example>"))
    question = person.get(page.link("Unsubscribe"))
    assert not question.all("form[action^='/unsubscribe/']")
    assert question.link("Write to leave@list.example").startswith("/compose?to=leave@list.example")


def test_a_message_without_a_list(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    page = opened(person, fill, letter(world[0]))
    assert not page.all(".list-line")
    uid = person.get("/mailbox/INBOX").one("[data-row]")["data-uid"]
    assert person.get(f"/unsubscribe/{uid}/INBOX").status == 404
    assert person.get("/unsubscribe/9999/INBOX").status == 404


def test_the_details_say_how_the_list_is_reached(person: Visitor, fill: Callable[..., list[int]], world: Any) -> None:
    page = opened(
        person, fill,
        letter(world[0], List_Id="<soldes.list.example>", List_Subscribe="<mailto:join@list.example?subject=join&body=please>",
               List_Owner="<mailto:owner@list.example>, <https://p\u0430ypal.com/o>", List_Post="NO", List_Help="<javascript:alert(1)>",
               List_Archive="<https://list.example/a?\"><script>x</script>"),
    )  # fmt: skip
    facts = {dt.get_text(): dt.find_next_sibling("dd") for dt in page.all(".headers dt")}
    assert facts["Subscribe to the list"].a["href"] == "/compose?to=join@list.example&subject=join&body=please"
    assert person.get(facts["Subscribe to the list"].a["href"]).one("[name=to]")["value"] == "join@list.example"
    mail, web = facts["List owner"].select("a")
    assert mail["href"] == "/compose?to=owner@list.example"
    assert web["href"].startswith("/leave?") and web["title"].startswith("xn--")  # a name that imitates another: warned of first
    assert facts["List archive"].a["href"] == 'https://list.example/a?"'
    assert not {"Write to the list", "List help"} & facts.keys()
    assert "<script>" not in page.html.partition("</article>")[0].partition("<article")[2]
