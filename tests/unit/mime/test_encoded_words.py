"""Encoded words in headers."""

from __future__ import annotations

import pytest

from webmail.mime.headers import headers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?Q?caf=C3=A9_noir?=", "café noir"),
        (b"=?iso-8859-1?q?caf=E9?= =?utf-8?b?w6k=?=", "caféé"),
        (b"a =?utf-8?Q?b?= c", "a b c"),
        (b"=?utf-8*fr?Q?=C3=A9t=C3=A9?=", "été"),
        (b"=?utf-8?B?8J+Y?=\r\n =?utf-8?B?gA==?=", "😀"),  # one letter cut in two
        (b"=?utf-8?B?w6k?=", "é"),  # padding forgotten
        (b"=?utf-8?B?w6k=w6k=!!?=", "éé"),
        (b"=?utf-8?Q?a=?=", "a"),
        (b"=?nothing?Q?caf=E9?=", "café"),
        (b"=?rot13?Q?nop?=", "nop"),  # a codec of Python's, but no charset
        (b"=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        (b"=?utf-8?Q?two words?=", "two words"),
        (b"=?us-ascii?Q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        ("naïve".encode(), "naïve"),
        (b"na\xefve", "naïve"),
        (b"a\x00b\x07c   \t d", "abc d"),
        ("abc\u202egpj.exe".encode(), "abcgpj.exe"),
        ("a\u2066b\u2069".encode(), "ab"),
        (b"=?utf-7?Q?+2AA-?=", "\ufffd"),  # a lone surrogate
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?gb2312?B?1tC5+g==?=", "中国"),
        (b"", ""),
    ],
)
def test_words_are_decoded(value, text):
    assert headers.decode(value) == text
