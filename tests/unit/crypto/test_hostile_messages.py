"""Messages that attack: changed, unpacking without end, cut; and keys of others that nobody makes by hand."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time

import pytest

from tests.support.openpgp_bombs import packed_zeros
from tests.support.openpgp_people import needs_sqop, person
from tests.support.waiting import eventually
from webmail.crypto import external_programs, openpgp
from webmail.crypto.errors import CryptoError, CryptoFailedError, CryptoTooLargeError, UnusableCertificateError
from webmail.crypto.openpgp_certificates import written_packet
from webmail.crypto.openpgp_packets import Packet
from webmail.crypto.signatures import SignatureState

pytestmark = needs_sqop
TEXT = b"<p>Conseil de classe, salle 12</p>\r\n" * 40


def _binary(message: bytes) -> bytes:
    return subprocess.run(["sqop", "dearmor"], input=message, capture_output=True, check=True).stdout


@pytest.mark.parametrize("reader", ["alice", "v6"])
def test_two_hundred_changed_bits_never_show_another_content_or_a_good_signature_for_it(reader: str) -> None:
    """Both ways of encrypting: v6 keys are written to by the second one (AEAD)."""
    key, certificate = _v6_person() if reader == "v6" else (person("alice").key, person("alice").certificate)
    message = _binary(openpgp.encrypt(TEXT, [certificate], sign_with=person("bob").key, owner=1))
    assert openpgp.decrypt(message, [key], [person("bob").certificate], owner=1).content == TEXT
    chance, same = random.Random(36), 0
    for _number in range(200):
        changed = bytearray(message)
        bit = chance.randrange(len(message) * 8)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            opened = openpgp.decrypt(bytes(changed), [key], [person("bob").certificate], owner=1)
        except CryptoError:
            continue
        assert opened.content == TEXT
        same += 1
    assert same < 40  # bits that mean nothing, such as those of a key id that isn't looked at


def test_two_hundred_changed_bits_of_what_is_signed_are_never_good() -> None:
    signature, _micalg = openpgp.sign_detached(TEXT, person("alice").key, owner=1)
    chance = random.Random(36)
    for _number in range(200):
        changed = bytearray(TEXT)
        bit = chance.randrange(len(TEXT) * 8)
        changed[bit // 8] ^= 1 << bit % 8
        [found] = openpgp.verify_detached(bytes(changed), signature, [person("alice").certificate], owner=1)
        assert found.state == SignatureState.BAD


def _v6_person() -> tuple[bytes, bytes]:
    key = subprocess.run(
        ["sqop", "generate-key", "--no-armor", "--profile=rfc9580", "V <v@lycee.example>"], capture_output=True, check=True
    ).stdout
    return key, openpgp.certificate_of(key, owner=1)


def test_keys_of_the_next_version_are_read_written_to_and_verified() -> None:
    key, certificate = _v6_person()
    facts = openpgp.read_certificate(certificate).facts()
    assert len(facts.fingerprint) == 64 and facts.can_encrypt and facts.can_sign and facts.addresses == ("v@lycee.example",)
    both = openpgp.encrypt(TEXT, [certificate, person("alice").certificate], sign_with=key, owner=1)
    for private in (key, person("alice").key):
        opened = openpgp.decrypt(both, [private], [certificate], owner=1)
        assert opened.content == TEXT and [each.state for each in opened.signatures] == [SignatureState.GOOD]
        [unknown] = openpgp.decrypt(both, [private], [], owner=1).signatures
        assert unknown.state == SignatureState.UNKNOWN and unknown.fingerprint


# in a process of its own: a child's memory counts that of its parent until it has become `sqop`, and a run of tests grows
_OPEN_A_BOMB = """
import resource, sys, time
from webmail.crypto import external_programs, openpgp
from webmail.crypto.errors import CryptoTooLargeError
began, certificate = time.monotonic(), bytes.fromhex(sys.argv[1])
try:
    openpgp.verify_inline(sys.stdin.buffer.read(), [certificate], owner=1)
except CryptoTooLargeError:
    print(time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, external_programs.OPERATIONS.held())
"""


def test_a_bomb_is_stopped_and_gives_its_place_back() -> None:
    bomb = packed_zeros(2**28)
    assert len(bomb) < 2**19
    opening = [sys.executable, "-c", _OPEN_A_BOMB, person("alice").certificate.hex()]
    told = subprocess.run(opening, input=bomb, capture_output=True, check=True).stdout
    seconds, memory, held = (float(word) for word in told.split())
    assert seconds < external_programs.SECONDS * 2 + 5
    assert 0 < memory < external_programs.MEMORY and held == 0


def test_fifty_megabytes_that_unpack_are_the_most_that_is_asked_for() -> None:
    with pytest.raises(CryptoTooLargeError):
        openpgp.verify_inline(packed_zeros(50 * 2**20), [], owner=1, most=10 * 2**20)
    assert external_programs.OPERATIONS.held() == 0


def test_a_program_killed_while_it_decrypts_gives_nothing() -> None:
    message = openpgp.encrypt(os.urandom(30 * 2**20), [person("alice").certificate], owner=1)
    found: list[object] = []

    def decrypting() -> None:
        try:
            found.append(openpgp.decrypt(message, [person("alice").key], owner=1))
        except CryptoFailedError as error:
            found.append(error)

    thread = threading.Thread(target=decrypting)
    thread.start()
    number = eventually(lambda: _running("sqop"))
    os.kill(number, 9)
    thread.join()
    assert isinstance(found[0], CryptoFailedError) and external_programs.OPERATIONS.held() == 0


def _running(name: str) -> int:
    found = subprocess.run(["pgrep", "-P", str(os.getpid()), "-x", name], capture_output=True, text=True, check=False).stdout
    return int(found.split()[0]) if found else 0


def test_nobody_encrypts_to_a_subkey_that_somebody_else_added() -> None:
    """Mallory's subkey, with her own binding, behind Alice's certificate."""
    alice, mallory = person("alice").certificate, person("bob").certificate
    from webmail.crypto.openpgp_packets import PUBLIC_SUBKEY, SIGNATURE, packets

    parts = list(packets(mallory))
    first = next(number for number, each in enumerate(parts) if each.tag == PUBLIC_SUBKEY)
    stolen = b"".join(written_packet(each) for each in parts[first:] if each.tag in (PUBLIC_SUBKEY, SIGNATURE))
    message = openpgp.encrypt(TEXT, [alice + stolen], owner=1)
    with pytest.raises(CryptoError):
        openpgp.decrypt(message, [person("bob").key], owner=1)
    assert openpgp.decrypt(message, [person("alice").key], owner=1).content == TEXT


def test_a_file_of_five_megabytes_or_ten_thousand_names_is_no_certificate_to_write_to() -> None:
    from webmail.crypto.openpgp_packets import USER_ID

    many = person("alice").certificate + written_packet(Packet(USER_ID, b"A <a@b.example>")) * 10_000
    began = time.monotonic()
    with pytest.raises((CryptoTooLargeError, UnusableCertificateError)):
        openpgp.encrypt(TEXT, [many], owner=1)
    with pytest.raises(CryptoTooLargeError):
        openpgp.encrypt(TEXT, [person("alice").certificate + written_packet(Packet(60, bytes(5 * 2**20)))], owner=1)
    assert time.monotonic() - began < 10
