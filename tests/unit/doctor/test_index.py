"""The doctor's look at the full-text index, against a mailbox made up here."""

from __future__ import annotations

from typing import Any

import pytest

from webmail.doctor.mail_servers.index import check_words as words_found
from webmail.doctor.result import OK, WARNING

SUBJECT = b"BODY[HEADER.FIELDS (SUBJECT)]"


class Mailboxes:
    """Folders of subjects by UID, and the UIDs whose words the index knows."""

    def __init__(self, folders: dict[str, dict[int, str]], known: set[int]) -> None:
        self.folders, self.known, self.selected, self.asked = folders, known, "", list[list[Any]]()

    def list_folders(self) -> list[tuple[tuple[bytes, ...], bytes, str]]:
        return [((b"\\Noselect",) if name == "Box" else (), b"/", name) for name in self.folders]

    def select_folder(self, name: str, readonly: bool) -> None:
        assert readonly and name != "Box"
        self.selected = name

    def search(self, criteria: list[str] | None = None, charset: str = "") -> list[int]:
        if criteria is None:
            return list(self.folders[self.selected])
        if criteria[0] == "TEXT":
            return []
        self.asked.append(criteria)
        return [uid for uid in self.known if uid == int(criteria[1])]

    def fetch(self, uids: list[int], _items: list[bytes]) -> dict[int, dict[bytes, bytes]]:
        return {uid: {SUBJECT: f"Subject: {self.folders[self.selected][uid]}\r\n\r\n".encode()} for uid in uids}


def check(inbox: dict[int, str], known: set[int], **others: dict[int, str]) -> tuple[str, str, list[list[Any]]]:
    mailboxes = Mailboxes({"Box": {}, **others, "INBOX": inbox}, known)
    result = words_found(mailboxes, "ann@x.example")  # type: ignore[arg-type]
    return result.state, result.words, mailboxes.asked


@pytest.mark.parametrize(
    ("subject", "word"),
    [
        ("Réunion de l'équipe", "équipe"), ("RE: L’Hôpital", "Hôpital"), ("qu'importe", "importe"), ("d'hiver et d'autres", "hiver"),
        ("Rentrée des élèves", "rentree"), ("Certificat de scolarité", "scolarite"), ("matières, l'été", "matieres"),
        ("Don't panic", ""), ("O'Neill", ""), ("l'art", ""), ("l'œuvre", ""), ("rien", ""),
    ],
)  # fmt: skip
def test_only_words_that_every_index_must_know_are_tried(subject: str, word: str) -> None:
    state, words, asked = check({7: subject}, {7})
    assert [criteria[-1] for criteria in asked] == ([word] if word else [])
    assert state == OK and ("1 message tested" if word else "to test it with") in words


def test_old_messages_count_though_new_ones_are_found() -> None:
    inbox = dict.fromkeys(range(1, 1001), "l'équipe")
    state, words, asked = check(inbox, set(range(500, 1001)))
    assert [int(criteria[1]) for criteria in asked] == [1, 2, 3, 4, 5, 701, 702, 703, 704, 705]
    assert state == WARNING and "in 5 of 10 messages tested" in words and "doveadm index -u ann@x.example" in words


def test_other_folders_are_looked_at_where_the_inbox_has_no_such_word() -> None:
    state, words, _asked = check({1: "rien"}, {4}, Travail={4: "l'élève"})
    assert (state, words) == (OK, "finds words after an elision and without accents (1 message tested).")


def test_a_server_that_makes_no_sense_is_told() -> None:
    class Odd(Mailboxes):
        def fetch(self, uids: list[int], _items: list[bytes]) -> dict[int, dict[bytes, bytes]]:
            raise ValueError("no sense")

    result = words_found(Odd({"INBOX": {1: "l'équipe"}}, set()), "ann@x.example")  # type: ignore[arg-type]
    assert (result.state, result.words) == (WARNING, "could not be checked (no sense).")
