"""Files that are uploaded: their names, their types, and how large they are once they are sent."""

import pytest

from webmail.compose.attachments import uploads


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\bulletin.pdf", "bulletin.pdf"),
        ("a\r\nb\x00\u202egpj.exe", "a b gpj.exe"),
        ("", "attachment"),
        ("...", "attachment"),
        ("é" * 300 + ".pdf", "é" * 146 + ".pdf"),
    ],
)
def test_a_file_name_is_only_a_name(sent, kept):
    assert uploads.clean_filename(sent) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("Image/PNG", "image/png"), ("text/html\r\nX: y", "application/octet-stream"), ("", "application/octet-stream")],
)
def test_a_media_type_is_only_a_type(sent, kept):
    assert uploads.clean_type(sent) == kept


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 1000, 123_457])
def test_encoded_size_is_that_of_base64(size):
    import base64

    assert uploads.encoded_size(size) == len(base64.encodebytes(b"x" * size).replace(b"\n", b"\r\n"))
