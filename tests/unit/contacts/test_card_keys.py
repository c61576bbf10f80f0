"""Keys on contacts' cards: in each way that programs write them, taken for the addresses that they name, and nothing else read."""

from __future__ import annotations

import base64

import pytest

from tests.support.smime_people import needs_openssl, smime_person
from webmail.crypto import x509_certificates
from webmail.mime.formats.cards import vcard_keys

pytestmark = needs_openssl


def folded(line: str) -> str:
    return "\r\n ".join(line[at : at + 70] for at in range(0, len(line), 70))


def card(*lines: str) -> str:
    return "\r\n".join(
        ["BEGIN:VCARD", "VERSION:3.0", "UID:1", "FN:Anna", "EMAIL:anna@lycee.example", *map(folded, lines), "END:VCARD", ""]
    )


DER = smime_person("anna").certificate
TEXT = base64.b64encode(DER).decode()
PEM = x509_certificates.as_pem([DER]).decode()


@pytest.mark.parametrize(
    "line",
    [
        f"KEY;ENCODING=b;TYPE=X509:{TEXT}",
        f"KEY;X509;ENCODING=BASE64:{TEXT}",
        f"KEY:data:application/pkix-cert;base64,{TEXT}",
        f"item1.KEY;MEDIATYPE=application/pkix-cert:data:application/pkix-cert;base64,{TEXT}",
    ],
)
def test_each_way_of_writing_a_key(line: str) -> None:
    assert vcard_keys.keys_in(card(line)) == [DER]


def test_armour_as_a_text() -> None:
    [found] = vcard_keys.keys_in(card("KEY;TYPE=X509:" + PEM.replace("\n", "\\n")))
    assert x509_certificates.split_certificates(found) == [DER]


@pytest.mark.parametrize(
    "line",
    [
        "KEY:https://elsewhere.example/key.asc",
        "KEY;ENCODING=b:not base64!",
        "KEY:",
        "NOTE:KEY;ENCODING=b:QUJD",
        "KEYS;ENCODING=b:QUJD",
        "KEY;ENCODING=b:" + base64.b64encode(b"x" * (vcard_keys.LARGEST + 1)).decode(),
    ],
)
def test_what_is_no_key_in_the_card(line: str) -> None:
    assert vcard_keys.keys_in(card(line)) == []


def test_bounds() -> None:
    many = [f"KEY;ENCODING=b:{base64.b64encode(b'%d' % number).decode()}" for number in range(50)]
    assert len(vcard_keys.keys_in(card(*many))) == vcard_keys.MOST
    assert vcard_keys.keys_in("KEY;ENCODING=b:" + "A" * 600_000) == []
