"""Messages as they leave: kinds of keys × signed, encrypted, both × plain, formatted, with a file, with hidden recipients, read back
by programs of others: GnuPG and OpenSSL."""

from __future__ import annotations

import email
import email.policy
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

import pytest

from tests.support.keys import Gpg
from tests.support.smime_people import authority, smime_person
from webmail.compose.encryption import finished_messages
from webmail.compose.encryption.finished_messages import TooManyHiddenError
from webmail.compose.encryption.protection import MessageProtection
from webmail.compose.encryption.protection_errors import NoOwnKeyError
from webmail.compose.encryption.recipient_keys import Coverage, MissingKey, RecipientKey
from webmail.compose.encryption.sending_plan import SendingPlan
from webmail.crypto.x509_certificates import as_pem
from webmail.keys.own_keys import OPENPGP, SMIME, OwnKey
from webmail.mail import Address, Attachment, Draft, Identity

pytestmark = pytest.mark.skipif(not all(map(shutil.which, ("sqop", "gpg", "openssl"))), reason="needs sqop, gpg and openssl")
ANNE, BOB, EVE = "anne@lycee.example", "bob@lycee.example", "eve@lycee.example"
WORD = "Zwiebelkuchen"
WHEN = datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
GPG_KINDS = ("ed25519", "rsa3072", "nistp256")
DRAFTS = {
    "plain": {},
    "formatted": {"html": f"<p>{WORD} <b>é</b></p>"},
    "file": {"attachments": (Attachment(f"{WORD}é.pdf", "application/pdf", 9, lambda: iter([b"%PDF-", b"\0\xff\r\n"])),)},
}


@dataclass(frozen=True)
class Person:
    """Somebody with a key: what is stored of it, and the program that reads for them."""

    private: bytes
    certificate: bytes
    gpg: Gpg | None = None


def draft(**fields) -> Draft:
    usual = {
        "identity": Identity("Anne", ANNE), "to": (Address("Bob", BOB),), "message_id": "<a@lycee.example>", "subject": f"On {WORD}",
        "text": f"{WORD} é \nFrom here\n-- \nAnne\n",
    }  # fmt: skip
    return Draft(**{**usual, **fields})


def own_key(person: Person, kind: str) -> OwnKey:
    return OwnKey(
        1, 1, kind, "F", (), (ANNE,), (), "", person.certificate, None, None, None, True, True, True, False, WHEN.replace(tzinfo=None),
        b"", None,
    )  # fmt: skip


def plan_of(kind: str, me: Person, others: dict[str, Person], *, sign: bool, encrypt: bool) -> SendingPlan:
    key = own_key(me, kind)
    covered = tuple(RecipientKey(address, person.certificate) for address, person in others.items())
    return SendingPlan(MessageProtection.BOTH, key if sign else None, encrypt, Coverage(kind, covered), own=(key,))


@cache
def gpg_person(folder, kind: str, address: str) -> Person:
    gpg = Gpg(folder / f"{kind}-{address.partition('@')[0]}")
    if kind == "ed25519":
        gpg.make(address)
    else:
        gpg.make(address, kind, "sign", "never")
        listed = gpg.run("--list-keys", "--with-colons").stdout.decode().splitlines()
        fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr:"))
        assert gpg.run("--passphrase", "", "--quick-add-key", fingerprint, kind, "encr", "never").returncode == 0
    certificate, private = gpg.run("--export").stdout, gpg.run("--export-secret-keys").stdout
    return Person(private, certificate, gpg)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("gpg")


def parsed(data: bytes):
    return email.message_from_bytes(data, policy=email.policy.default)


def signed_parts(data: bytes) -> tuple[bytes, bytes]:
    """The signed bytes and the signature of a multipart/signed, transfer encoding removed."""
    read = parsed(data)
    assert read.get_content_type() == "multipart/signed"
    content = data.split(f"--{read.get_boundary()}".encode())[1].removeprefix(b"\r\n").removesuffix(b"\r\n")
    return content, list(read.iter_parts())[1].get_payload(decode=True)


def check_inside(content: bytes, kind: str) -> None:
    """The payload says what was written, whatever was done to it."""
    read = parsed(content)
    assert read["Subject"] == f"On {WORD}" and read["From"] == f"Anne <{ANNE}>"
    assert read.get_body(("plain",)).get_content().startswith(f"{WORD} é")
    if kind == "formatted":
        assert WORD in read.get_body(("html",)).get_content()
    if kind == "file":
        assert [(one.get_filename(), one.get_content()) for one in read.iter_attachments()] == [
            (f"{WORD}é.pdf", b"%PDF-\0\xff\r\n")
        ]


def check_hidden(message: bytes) -> None:
    assert WORD.encode() not in message and parsed(message)["Subject"] == "..."


MODES = {"signed": (True, False), "encrypted": (False, True), "both": (True, True)}


@pytest.mark.parametrize("shape", DRAFTS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", GPG_KINDS)
def test_gnupg_reads_what_is_made_with_openpgp(folder, kind, mode, shape):
    anne, bob = (gpg_person(folder, kind, address) for address in (ANNE, BOB))
    bob.gpg.take(anne.certificate)
    sign, encrypt = MODES[mode]
    plan = plan_of(OPENPGP, anne, {BOB: bob}, sign=sign, encrypt=encrypt)
    [made] = finished_messages.finished(draft(**DRAFTS[shape]), plan, anne.private if sign else None, WHEN, 1)
    assert made.recipients == (BOB,)
    if not encrypt:
        content, signature = signed_parts(made.content)
        assert "GOODSIG" in bob.gpg.verified(content, signature)
        assert "BADSIG" in bob.gpg.verified(content.replace(b"Anne", b"Anna"), signature)
        check_inside(content, shape)
        return
    check_hidden(made.content)
    armored = list(parsed(made.content).iter_parts())[1].get_payload(decode=True)
    for reader in (bob, anne):
        content, status = reader.gpg.decrypted(armored)
        assert ("GOODSIG" in status) == sign
        check_inside(content, shape)


def openssl(*arguments: str, given: bytes) -> bytes:
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


@pytest.mark.parametrize("shape", DRAFTS)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_openssl_reads_what_is_made_with_smime(tmp_path, kind, mode, shape):
    anne, bob = (smime_person(name, kind) for name in ("anne", "bob"))
    stored = Person(anne.key, as_pem([anne.certificate, authority()]))
    sign, encrypt = MODES[mode]
    plan = plan_of(SMIME, stored, {BOB: Person(b"", bob.certificate)}, sign=sign, encrypt=encrypt)
    [made] = finished_messages.finished(draft(**DRAFTS[shape]), plan, anne.key if sign else None, WHEN, 1)
    (tmp_path / "school.pem").write_bytes(as_pem([authority()]))
    content = made.content
    if encrypt:
        check_hidden(content)
        read = parsed(content)
        assert read.get_content_type() == "application/pkcs7-mime" and read.get_param("smime-type") == "enveloped-data"
        for person in (anne, bob):
            (tmp_path / "key.pem").write_bytes(person.key)
            (tmp_path / "own.pem").write_bytes(as_pem([person.certificate]))
            keys = ("-inkey", str(tmp_path / "key.pem"), "-recip", str(tmp_path / "own.pem"))
            content = openssl("cms", "-decrypt", "-inform", "DER", *keys, "-binary",
                              given=read.get_content())  # fmt: skip
    if sign:
        content, signature = signed_parts(content)
        (tmp_path / "signature").write_bytes(signature)
        verify = ["cms", "-verify", "-inform", "DER", "-in", str(tmp_path / "signature"), "-content", "/dev/stdin", "-binary"]
        assert openssl(*verify, "-CAfile", str(tmp_path / "school.pem"), "-purpose", "smimesign", given=content) == content
        tampered = subprocess.run(["openssl", *verify, "-noverify"], input=content + b"x", capture_output=True, check=False)
        assert tampered.returncode != 0
    check_inside(content, shape)


def hidden(plan: SendingPlan, secret: bytes | None, **fields) -> Iterator:
    return finished_messages.finished(draft(bcc=(Address("", EVE),), **fields), plan, secret, WHEN, 1)


def test_a_hidden_recipient_has_a_message_of_their_own(folder):
    anne, bob, eve = (gpg_person(folder, "ed25519", address) for address in (ANNE, BOB, EVE))
    plan = plan_of(OPENPGP, anne, {BOB: bob, EVE: eve}, sign=False, encrypt=True)
    main, copy = hidden(plan, None)
    assert (main.recipients, copy.recipients) == ((BOB,), (EVE,))
    for message in (main, copy):
        assert b"eve@" not in message.content and parsed(message.content)["To"] == f"Bob <{BOB}>"
    for message, reads, not_read in ((main, (anne, bob), eve), (copy, (eve,), bob)):
        armored = list(parsed(message.content).iter_parts())[1].get_payload(decode=True)
        for person in reads:
            content = person.gpg.decrypted(armored)[0]
            assert WORD.encode() in content and b"eve@" not in content
        assert not_read.gpg.run("--decrypt", given=armored).returncode != 0


def test_hidden_recipients_of_smime_have_messages_of_their_own():
    anne, bob, eve = (smime_person(name) for name in ("anne", "bob", "eve"))
    plan = plan_of(
        SMIME, Person(anne.key, anne.certificate), {BOB: Person(b"", bob.certificate), EVE: Person(b"", eve.certificate)},
        sign=False, encrypt=True,
    )  # fmt: skip
    main, copy = hidden(plan, None)
    told = [openssl("cms", "-cmsout", "-print", "-inform", "DER", given=parsed(one.content).get_content()).count(b"serialNumber")
            for one in (main, copy)]  # fmt: skip
    assert told == [2, 1]


def test_with_hidden_recipients_alone_each_has_one(folder):
    anne, bob, eve = (gpg_person(folder, "ed25519", address) for address in (ANNE, BOB, EVE))
    plan = plan_of(OPENPGP, anne, {BOB: bob, EVE: eve}, sign=False, encrypt=True)
    made = list(finished_messages.finished(draft(to=(), bcc=(Address("", EVE), Address("", BOB))), plan, None, WHEN, 1))
    assert [one.recipients for one in made] == [(EVE,), (BOB,)]


def test_one_signed_message_is_for_all_recipients(folder):
    anne = gpg_person(folder, "ed25519", ANNE)
    plan = plan_of(OPENPGP, anne, {}, sign=True, encrypt=False)
    [made] = hidden(plan, anne.private)
    assert made.recipients == (BOB, EVE)


def test_nothing_is_written_where_somebody_has_no_key(folder):
    anne = gpg_person(folder, "ed25519", ANNE)
    plan = plan_of(OPENPGP, anne, {}, sign=False, encrypt=True)
    missing = Coverage(OPENPGP, (RecipientKey(BOB, why=MissingKey.UNKNOWN),))
    with pytest.raises(NoOwnKeyError):
        list(finished_messages.finished(draft(), replace(plan, coverage=missing), None, WHEN, 1))


def test_there_is_a_bound_for_hidden_recipients(folder):
    anne = gpg_person(folder, "ed25519", ANNE)
    people = {f"p{number}@x.example": anne for number in range(21)} | {BOB: anne}
    plan = plan_of(OPENPGP, anne, people, sign=False, encrypt=True)
    many = draft(bcc=tuple(Address("", f"p{number}@x.example") for number in range(21)))
    with pytest.raises(TooManyHiddenError):
        list(finished_messages.finished(many, plan, None, WHEN, 1))
