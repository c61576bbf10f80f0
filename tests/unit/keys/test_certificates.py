"""Own keys and the certificates of others: what is kept, what is found by an address, and in what order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from webmail.config.settings import Settings
from webmail.keys import keyring, known_certificates, own_keys, published_keys
from webmail.keys.key_errors import KeyringClosedError, NoSuchKeyError
from webmail.keys.open_keyring import OpenKeyring
from webmail.models import KeyOrigin, KnownCertificateRow, OwnKeyRow, User, now

AT = datetime(2026, 11, 1, 9, 0)


def facts(fingerprint: str = "A" * 40, *addresses: str, **more: Any) -> Any:
    """What a certificate says of itself."""
    told: dict[str, Any] = {
        "kind": "openpgp", "fingerprint": fingerprint, "key_ids": (fingerprint[-16:],), "addresses": addresses, "names": ("Anne",),
        "made": datetime(2025, 1, 1, tzinfo=UTC), "expires": None, "revoked": False, "can_sign": True, "can_encrypt": True,
        "algorithm": "Curve25519",
    }  # fmt: skip
    return SimpleNamespace(**told | more)


@pytest.fixture
def ring(odile: User, settings: Settings) -> OpenKeyring:
    secret, _code = keyring.make(odile, "douze girafes lisent au lit", settings)
    return OpenKeyring(odile.id, secret)


def test_a_private_key_comes_out_for_its_open_keyring_alone(odile: User, paul: User, ring: OpenKeyring) -> None:
    key, new = own_keys.add(odile, ring, facts("a" * 40, "Odile@lycee.example"), b"public", b"private", b"revoked")
    assert new and key.preferred and key.addresses == ("odile@lycee.example",) and key.fingerprint == "A" * 40
    assert own_keys.secret_of(key, ring) == b"private" and own_keys.revocation_of(key, ring) == b"revoked"
    for closed in (None, OpenKeyring(odile.id, b"x" * 32), OpenKeyring(paul.id, ring.secret)):
        with pytest.raises(KeyringClosedError):
            own_keys.secret_of(key, closed)
    with pytest.raises(NoSuchKeyError):
        own_keys.find(paul.id, key.id)
    assert b"private" not in key.sealed and "sealed" not in repr(key)


def test_a_key_put_in_anothers_row_opens_nothing(odile: User, ring: OpenKeyring) -> None:
    first, _new = own_keys.add(odile, ring, facts("A" * 40, odile.address), b"1", b"private 1")
    second, _new = own_keys.add(odile, ring, facts("B" * 40, odile.address), b"2", b"private 2")
    OwnKeyRow.update(sealed=first.sealed).where(OwnKeyRow.id == second.id).execute()
    with pytest.raises(KeyringClosedError):
        own_keys.secret_of(own_keys.find(odile.id, second.id), ring)


def test_which_key_signs(odile: User, ring: OpenKeyring) -> None:
    old, _new = own_keys.add(odile, ring, facts("A" * 40, odile.address), b"1", b"1")
    new, _new = own_keys.add(odile, ring, facts("B" * 40, odile.address), b"2", b"2")
    own_keys.add(odile, ring, facts("C" * 40, "else@lycee.example"), b"3", b"3")
    over, _new = own_keys.add(odile, ring, facts("D" * 40, odile.address, expires=datetime(2020, 1, 1, tzinfo=UTC)), b"4", b"4")

    def signs(address: str = "ODILE@lycee.example") -> str:
        found = own_keys.signing_key(own_keys.own_keys(odile.id), address, own_keys.OPENPGP)
        return found.fingerprint[0] if found else ""

    assert signs() == "A"
    own_keys.prefer(odile, new)
    assert signs() == "B"
    own_keys.note_revoked(own_keys.find(odile.id, new.id))
    assert signs() == "A"
    assert signs("nobody@lycee.example") == ""
    good = own_keys.encryption_keys(own_keys.own_keys(odile.id), own_keys.OPENPGP)
    assert (
        over.id not in {one.id for one in good} and new.id not in {one.id for one in good} and old.id in {one.id for one in good}
    )


def test_the_same_key_again_is_no_other(odile: User, ring: OpenKeyring) -> None:
    own_keys.add(odile, ring, facts("A" * 40, odile.address), b"1", b"1")
    key, new = own_keys.add(odile, ring, facts("A" * 40, odile.address, "second@lycee.example"), b"2", b"1")
    assert not new and len(own_keys.own_keys(odile.id)) == 1
    assert key.certificate == b"2" and "second@lycee.example" in key.addresses


def test_a_certificate_is_kept_for_addresses_that_it_names(odile: User) -> None:
    known_certificates.note_met(
        odile.id, facts("A" * 40, "anne@a.example", "anne@b.example"), b"c", ["ANNE@a.example", "x@c.example"]
    )
    found = known_certificates.certificates_for(odile.id, ["Anne@a.example", "anne@b.example", "x@c.example"])
    assert list(found) == ["anne@a.example"] and found["anne@a.example"][0].times_met == 1
    assert found["anne@a.example"][0].made == datetime(2025, 1, 1)


def test_meetings_count_once_for_each_newer_message(odile: User) -> None:
    def met(at: datetime) -> int:
        known_certificates.note_met(odile.id, facts("A" * 40, "anne@a.example"), b"c", ["anne@a.example"], at=at)
        return known_certificates.certificates_for(odile.id, ["anne@a.example"])["anne@a.example"][0].times_met

    assert [met(AT), met(AT), met(AT - timedelta(days=1)), met(AT + timedelta(days=1)), met(AT)] == [1, 1, 1, 2, 2]


def test_an_old_copy_takes_no_revocation_back(odile: User) -> None:
    person = facts("A" * 40, "anne@a.example", revoked=True)
    known_certificates.note_met(odile.id, person, b"revoked", person.addresses, KeyOrigin.WKD)
    again = facts("A" * 40, "anne@a.example")
    known_certificates.note_met(odile.id, again, b"old", again.addresses, at=now() + timedelta(days=9))
    known_certificates.note_met(odile.id, again, b"old", again.addresses, KeyOrigin.IMPORTED)
    [one] = known_certificates.certificates_for(odile.id, again.addresses)["anne@a.example"]
    assert not one.is_good() and one.certificate == b"revoked"


def test_what_one_decided_stays_and_decides_the_order(odile: User) -> None:
    for letter, origin in (("A", KeyOrigin.MET), ("B", KeyOrigin.WKD), ("C", KeyOrigin.MET)):
        known_certificates.note_met(odile.id, facts(letter * 40, "anne@a.example"), b"c", ["anne@a.example"], origin, at=AT)

    def order() -> str:
        return "".join(
            one.fingerprint[0] for one in known_certificates.certificates_for(odile.id, ["anne@a.example"])["anne@a.example"]
        )

    assert known_certificates.check(odile.id, "c" * 40, checked=True) and order()[0] == "C"
    assert known_certificates.block(odile.id, "C" * 40, blocked=True) and order()[-1] == "C"
    known_certificates.note_met(odile.id, facts("C" * 40, "anne@a.example"), b"c", ["anne@a.example"])
    assert order()[-1] == "C"
    assert known_certificates.block(odile.id, "C" * 40, blocked=False) and order()[0] == "C"
    assert not known_certificates.check(odile.id, "F" * 40, checked=True)


def test_colleagues_own_keys_are_found_without_being_copied(odile: User, paul: User, ring: OpenKeyring) -> None:
    key, _new = own_keys.add(odile, ring, facts("A" * 40, odile.address), b"public", b"private")

    def found() -> list[known_certificates.KnownCertificate]:
        return known_certificates.certificates_for(paul.id, [odile.address]).get(odile.address, [])

    assert not found()
    published_keys.publish(odile, key, [odile.address])
    [one] = found()
    assert one.origin is KeyOrigin.DIRECTORY and one.certificate == b"public" and one.name == odile.name and one.number == 0
    known_certificates.note_met(paul.id, facts("A" * 40, odile.address), b"older", [odile.address], at=AT)
    known_certificates.check(paul.id, "A" * 40, checked=True)
    [one] = found()
    assert one.origin is KeyOrigin.DIRECTORY and one.certificate == b"public" and one.checked and one.times_met == 1
    User.update(active=0).where(User.id == odile.id).execute()
    assert [one.origin for one in found()] == [KeyOrigin.MET]


def test_there_is_an_end_to_what_strangers_can_leave(odile: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(known_certificates, "MOST", 3)
    for number in range(6):
        met = facts(f"{number:040}", f"a{number}@a.example")
        known_certificates.note_met(odile.id, met, b"c", met.addresses, at=AT + timedelta(hours=number))
        if number == 0:
            known_certificates.check(odile.id, met.fingerprint, checked=True)
    kept = [one.address for one in known_certificates.all_known(odile.id)]
    assert kept == ["a0@a.example", "a4@a.example", "a5@a.example"]
    large = facts("F" * 40, "big@a.example")
    assert known_certificates.note_met(odile.id, large, b"c" * (known_certificates.LARGEST_MET + 1), large.addresses) == 0


def test_others_certificates_are_found_by_what_is_in_them(odile: User, paul: User) -> None:
    known_certificates.note_met(odile.id, facts("A" * 40, "anne@a.example"), b"c", ["anne@a.example"])
    assert [one.address for one in known_certificates.with_key_ids(odile.id, ["A" * 16])] == ["anne@a.example"]
    assert not known_certificates.with_key_ids(odile.id, ["B" * 16, "%" * 16, ""])
    assert not known_certificates.with_key_ids(paul.id, ["A" * 16])
    number = known_certificates.all_known(odile.id)[0].number
    assert known_certificates.find(paul.id, number) is None and not known_certificates.forget(paul.id, number)
    assert known_certificates.forget(odile.id, number)
    assert not KnownCertificateRow.select().where(KnownCertificateRow.user == odile).exists()


def test_the_hash_of_an_address_is_that_of_the_draft() -> None:
    assert published_keys.local_hash("Joe.Doe") == published_keys.local_hash("joe.doe") == "iy9q119eutrkn8s1mk4r39qejnbu3n5q"
