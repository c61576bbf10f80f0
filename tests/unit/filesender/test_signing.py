"""What a request to FileSender is signed with: texts and signatures that FileSender 3 took."""

from __future__ import annotations

import pytest

from webmail.filesender import signing

ARGUMENTS = {"timestamp": "1764610000", "remote_user": "alice+a@lycee.example", "remote_application": "traboule"}
TOLD = "remote_application=traboule&remote_user=alice+a@lycee.example&timestamp=1764610000"


@pytest.mark.parametrize(
    ("method", "url", "body", "text"),
    [
        ("GET", "https://files.example/rest.php/transfer", b"", f"get&files.example/rest.php/transfer?{TOLD}"),
        (
            "PUT",
            "https://files.example:8443/x/rest.php/transfer/7",
            b"{}",
            f"put&files.example/x/rest.php/transfer/7?{TOLD}&{{}}",
        ),
        ("PUT", "http://127.0.0.1:8000/rest.php/file/1/chunk/0", b"0", f"put&127.0.0.1/rest.php/file/1/chunk/0?{TOLD}"),
        ("PUT", "http://127.0.0.1:8000/rest.php/file/1/chunk/0", b"00", f"put&127.0.0.1/rest.php/file/1/chunk/0?{TOLD}&00"),
    ],
)
def test_the_signed_text_is_sorted_and_not_encoded(method, url, body, text):
    assert signing.signed_text(method, url, ARGUMENTS, body) == text.encode()


def test_bytes_are_signed_as_they_are():
    assert signing.signed_text("PUT", "https://files.example/a", {"b": "c"}, b"\xff\x00&").endswith(b"?b=c&\xff\x00&")


def test_the_address_has_its_arguments_encoded_and_signed():
    url = "https://files.example/rest.php/transfer"
    found = signing.signed_address("GET", url, ARGUMENTS, b"", "secret")
    expected = signing.signature("secret", signing.signed_text("GET", url, ARGUMENTS, b""))
    assert found.endswith(f"&signature={expected}")
    assert "remote_user=alice%2Ba%40lycee.example" in found


@pytest.mark.parametrize(
    ("algorithm", "signature"),
    [
        ("sha1", "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9"),  # "The quick brown fox ..." with the key "key"
        ("sha256", "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"),
    ],
)
def test_signatures_are_hmacs_as_known(algorithm, signature):
    assert signing.signature("key", b"The quick brown fox jumps over the lazy dog", algorithm) == signature
