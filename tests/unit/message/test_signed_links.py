"""Signed addresses of ours, and links taken apart for a reader."""

from __future__ import annotations

import pytest

from webmail.message.signed_links import destination, is_signed, packed, signature, unpacked


def test_a_signature_holds_for_one_person_one_purpose_and_these_words() -> None:
    signed = signature("secret", 1, "image", "https://x.test/")
    assert is_signed(signed, "secret", 1, "image", "https://x.test/")
    for words in (("secret", 2, "image", "https://x.test/"), ("other", 1, "image", "https://x.test/"), ("secret", 1, "leave", "https://x.test/"),
                  ("secret", 1, "image", "https://x.test/a"), ("secret", 1, "imagehttps://x.test/"), ("secret", 11, "image", "https://x.test/")):  # fmt: skip
        assert not is_signed(signed, *words)
    for given in ("", signed[:-1], signed.upper(), signed + "0", "é", "\ud800"):
        assert not is_signed(given, "secret", 1, "image", "https://x.test/")


@pytest.mark.parametrize("url", ["https://x.test/?a=b&c", "https://été.test/ü", "", "x"])
def test_addresses_are_packed(url: str) -> None:
    assert unpacked(packed(url)) == url
    assert packed(url).replace("-", "").replace("_", "").isalnum() or not url


@pytest.mark.parametrize("text", ["a", "é", "!!!!", "a b c d", "_w", "//8", "YWJj\n"])
def test_what_was_not_packed_is_nothing(text: str) -> None:
    assert unpacked(text) == ""


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://bank.example/a?b#c", ("https://", "bank.example", "/a?b#c", "bank.example", False)),
        ("HTTPS://bank.example@evil.test:8080/", ("https://bank.example@", "evil.test", ":8080/", "evil.test", False)),
        ("https://evil.test\\@bank.example/", ("https://", "evil.test", "\\@bank.example/", "evil.test", False)),
        ("http://p\u0430ypal.com/\u0430", ("http://", "xn--pypal-4ve.com", "/%D0%B0", "p\u0430ypal.com", True)),
        ("https://xn--pypal-4ve.com", ("https://", "xn--pypal-4ve.com", "", "p\u0430ypal.com", True)),
        ("https://lycée.example?x", ("https://", "xn--lyce-dpa.example", "?x", "lycée.example", False)),
    ],
)
def test_a_link_is_taken_apart(url: str, parts: tuple[str, str, str, str, bool]) -> None:
    to = destination(url)
    assert (to.before, to.host, to.after, to.readable, to.deceives) == parts
    assert (to.before + to.host + to.after).isascii()
