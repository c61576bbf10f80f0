"""Visiting cards."""

from __future__ import annotations

import pytest

from tests.support.cpu_time import cpu_seconds
from webmail.mime.formats.cards import vcard_view


class TestCards:
    def test_a_card(self) -> None:
        (card,) = vcard_view.read(
            "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Zoé Dupont\r\nEMAIL;TYPE=work:zoe@x.example\r\nTEL;VALUE=uri:tel:+33-4\r\n"
            "ORG:Lycée;Physique\r\nTITLE:Professeure\r\nADR:;;1 rue X;Lyon;;69001;France\r\nPHOTO:data:image/png;base64,AAAA\r\n"
            " AAAA\r\nURL:https://x.example\r\nEND:VCARD\r\n"
        )
        assert (card.name, card.emails, card.phones) == ("Zoé Dupont", ("zoe@x.example",), ("+33-4",))
        assert (card.organisation, card.role) == ("Lycée, Physique", "Professeure")
        assert "1 rue X" in card.addresses[0] and "Lyon" in card.addresses[0]
        assert card.sites == ("https://x.example",)

    def test_an_old_card_in_quoted_printable(self) -> None:
        (card,) = vcard_view.read(
            "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Andr=C3=A9;Zo=C3=A9\nFN:Z\nEND:VCARD\n"
        )
        assert card.name == "Z"

    @pytest.mark.parametrize(
        "text", ["", "BEGIN:VCARD", "BEGIN:VCARD\nEND:VCARD\n", "hello", "BEGIN:VCARD\nBEGIN:VCARD\nFN:x\nEND:VCARD\n" * 3]
    )
    def test_broken_cards_never_raise(self, text: str) -> None:
        assert len(vcard_view.read(text)) <= 3

    def test_hostile_cards_take_no_time(self) -> None:
        with cpu_seconds(2):
            for line in (
                "FN;" + "a" * 200_000,
                "FN" + ';X="y"' * 30_000,
                "FN;ENCODING=QUOTED-PRINTABLE:" + "x=\n" * 60_000,
                "FN:x\n" * 40_000,
                "EMAIL;A=" + "," * 40 + '"x:y',
            ):
                vcard_view.read(f"BEGIN:VCARD\n{line}\nEND:VCARD\n")
            assert len(vcard_view.read("BEGIN:VCARD\nFN:x\nEND:VCARD\n" * 5_000)) == vcard_view.CARDS_LIMIT


@pytest.mark.parametrize(
    "line", ["TEL" + ";TYPE=a" * 270, "TEL" + ";TYPE=a" * 270 + ";\n :1", "TEL" + ";TYPE=a" * 10 + ';X="a:1']
)
def test_parameters_that_lead_nowhere_take_no_time(line: str) -> None:
    with cpu_seconds(1):
        (card,) = vcard_view.read(f"BEGIN:VCARD\nVERSION:3.0\nFN:x\n{line}\nEND:VCARD\n")
        assert card.name == "x"
