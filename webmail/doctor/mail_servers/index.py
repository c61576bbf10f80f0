"""Doctor, full-text index: whether searches are answered soon, and whether the index is of the present configuration.

What an index was made with is not told over IMAP, and no file of the mail server can be read from another machine. So the doctor
looks for words that stand in subjects, in the messages that have them: it reads, and changes nothing.
"""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imapclient import IMAPClient

from webmail.account import Server
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, lazy_ngettext, why
from webmail.doctor.result import lazy_gettext as _l
from webmail.imap.searching.spellings import folded
from webmail.mime.headers import headers

_FOLDERS = 6  # looked at, the inbox first
_SUBJECTS = 300  # the oldest and the newest of each folder: an index made long ago knows the new messages as they are indexed now
_PROBES = 5  # messages searched for of each
_NAME = "IMAP index"
_NO_WORD = "traboule-doctor"
# the article or pronoun, then a vowel or h: where Dovecot's WB5a cuts
_ELISION = re.compile(r"\b(?:[ldjnsmtc]|qu)['’]([aeiouhàâäéèêëîïôöùûü][^\W\d_]{4,})", re.IGNORECASE)
# where an index that took the stem before the accents away has another word: "rentrée", "scolarité", "première"
_ACCENTED = re.compile(r"\b[a-z]{2,}(?:ée|ité|ière)s?\b", re.IGNORECASE)
_SUBJECT = b"BODY[HEADER.FIELDS (SUBJECT)]"


@dataclass(frozen=True, slots=True)
class Probe:
    """A message whose subject has `word`, after an elision, or with an accent that is not typed here."""

    folder: str
    uid: int
    word: str


def examine(client: IMAPClient, server: Server, address: str) -> Iterator[CheckResult]:
    """The checks of the index, as the signed-in `address`."""
    search = full_text(client, server)
    yield search
    if search.state != PROBLEM:
        yield check_words(client, address)


def full_text(client: IMAPClient, server: Server) -> CheckResult:
    """Whether a search in texts is answered soon: a mail may have upset the server's index."""
    began = time.monotonic()
    try:
        client.select_folder("INBOX", readonly=True)
        client.search(["TEXT", _NO_WORD])
    except (OSError, imaplib.IMAP4.error) as error:
        return CheckResult(
            "IMAP search", PROBLEM, _l("returned no result (%(why)s). %(step)s", why=why(error), step=_INDEX_ADVICE)
        )
    seconds = time.monotonic() - began
    if seconds > server.timeout / 2:
        words = _l("took %(seconds)s s in INBOX. %(step)s", seconds=f"{seconds:.1f}", step=_INDEX_ADVICE)
        return CheckResult("IMAP search", WARNING, words)
    words = _l("of the message texts in INBOX took %(seconds)s s.", seconds=f"{seconds:.1f}")
    return CheckResult("IMAP search", OK, words)


_INDEX_ADVICE = _l(
    "The full-text index may be damaged, or not finished yet. Try again, check the server’s log, or rebuild the index (see "
    "%(page)s).",
    page="docs/administrator/mail-servers.md",
)


def check_words(client: IMAPClient, address: str) -> CheckResult:
    """Whether words are found after an elision ("équipe" in "l'équipe") and without their accents, which indexes of older
    configurations do not know."""
    try:
        probes = _probes(client)
        missed = [probe for probe in probes if not _finds(client, probe)]
    except (OSError, imaplib.IMAP4.error, LookupError, ValueError) as error:
        return CheckResult(_NAME, WARNING, _l("could not be checked (%(why)s).", why=why(error)))
    if not probes:
        words = _l(
            "may be older than the present configuration: no subject has a word to test it with (l’équipe, rentrée). If in "
            "doubt, rebuild it: %(command)s (with -A instead of -u for everybody).",
            command=remedy(address),
        )
        return CheckResult(_NAME, OK, words)
    if not missed:
        words = lazy_ngettext(
            "finds words after an elision and without accents (%(num)d message tested).",
            "finds words after an elision and without accents (%(num)d messages tested).",
            len(probes),
        )
        return CheckResult(_NAME, OK, words)
    about = {"word": missed[0].word, "missed": len(missed), "command": remedy(address)}
    words = lazy_ngettext(
        "does not find “%(word)s” as it should, in %(missed)s of %(num)d message tested: an older configuration made it. Render "
        "Dovecot’s configuration again, run `doveadm reload`, then %(command)s (with -A instead of -u for everybody).",
        "does not find “%(word)s” as it should, in %(missed)s of %(num)d messages tested: an older configuration made it. Render "
        "Dovecot’s configuration again, run `doveadm reload`, then %(command)s (with -A instead of -u for everybody).",
        len(probes), **about,
    )  # fmt: skip
    return CheckResult(_NAME, WARNING, words)


def remedy(address: str) -> str:
    """The commands that make the index of one person anew, on the mail server."""
    return f"doveadm fts flatcurve remove -u {address} '*' && doveadm fts rescan -u {address} && doveadm index -u {address} '*'"


def _probes(client: IMAPClient) -> list[Probe]:
    """The first of the oldest and of the newest messages with such a word, of the first folders that have any."""
    for folder in _folders(client):
        client.select_folder(folder, readonly=True)
        uids = sorted(client.search())
        found = _among(client, folder, uids[:_SUBJECTS]) + _among(client, folder, uids[_SUBJECTS:][-_SUBJECTS:])
        if found:
            client.search(["TEXT", _NO_WORD])  # has the index take in what it lacks: a search in subjects alone does not
            return found
    return []


def _folders(client: IMAPClient) -> list[str]:
    names = [name for flags, _delimiter, name in client.list_folders() if b"\\Noselect" not in flags and isinstance(name, str)]
    return sorted(names, key=lambda name: name.upper() != "INBOX")[:_FOLDERS]


def _among(client: IMAPClient, folder: str, uids: Sequence[int]) -> list[Probe]:
    """The first of these messages that have such a word."""
    answers = client.fetch(uids, [b"BODY.PEEK[HEADER.FIELDS (SUBJECT)]"])
    words = [(uid, _index_words(items.get(_SUBJECT, b""))) for uid, items in sorted(answers.items())]
    return [Probe(folder, uid, each[0]) for uid, each in words if each][:_PROBES]


def _index_words(block: bytes) -> Sequence[str]:
    values = headers.fields(block).get("subject", [])
    subject = headers.decode(values[0]) if values else ""
    return [*(folded(word) for word in _ACCENTED.findall(subject)), *_ELISION.findall(subject)]


def _finds(client: IMAPClient, probe: Probe) -> bool:
    return probe.uid in client.search(["UID", str(probe.uid), "SUBJECT", probe.word], "UTF-8")
