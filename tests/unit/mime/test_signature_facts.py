"""Numbers and sites below a text."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.text.signature_facts import SignatureFacts, facts


@pytest.mark.parametrize(
    ("text", "phones", "sites"),
    [
        ("Hi\n-- \nAnn\n+33 (0)4 72 00 00 01 / 06.12.34.56.78\nhttps://x.example/a?b=1", ("06.12.34.56.78",), ("https://x.example/a?b=1",)),
        ("Hi\n\nAnn\n04 72 00 00 01", ("04 72 00 00 01",), ()),
        ("on 12-03-2024 at 10\ninvoice 123456", (), ()),
        ("> 04 72 00 00 01", (), ()),
        ("", (), ()),
    ],
)  # fmt: skip
def test_what_stands_below_is_found(text: str, phones: tuple[str, ...], sites: tuple[str, ...]) -> None:
    found = facts(text)
    assert set(phones) <= set(found.phones) and found.sites == sites and (phones or not found.phones)


def test_long_texts_take_linear_time() -> None:
    with cpu_seconds(1):
        for text in ("1 " * 1_000_000, "1.-" * 500_000, "--\n" * 300_000, "www." * 500_000, "\n" * 1_000_000):
            assert isinstance(facts(text), SignatureFacts)
