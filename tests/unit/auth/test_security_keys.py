"""Security keys: what they are asked, and which of their answers are taken."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest
from cbor2 import dumps
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.webauthn_key import ORIGIN, RP_ID, WebauthnKey, decoded, encoded
from webmail.auth.factors import challenges, security_keys
from webmail.auth.factors.challenges import ChallengeSubject, Purpose
from webmail.auth.factors.security_keys import KeyFault, KeyRefusedError, Site
from webmail.models import SecurityKey, UsedChallenge, User

SESSION = "hash of a session"


@pytest.fixture
def settings(settings):
    return replace(settings, public_url=ORIGIN, name="Lycée Ampère", secret_key="k" * 40)


@pytest.fixture
def here(settings):
    return security_keys.site(settings)


@pytest.fixture
def answer_of(alice, here, settings):
    """`answer_of(key, **changes)`: what a key answers when Alice registers it."""
    asked = ChallengeSubject(Purpose.ADD, SESSION, alice.id)
    return lambda key, **changes: key.create(security_keys.registration_options(alice, here, asked, settings), **changes)


@pytest.fixture
def register(answer_of, alice, here, settings):
    """`register(key, **changes)`: registers a key for Alice."""

    def one(key, name="Blue key", **changes):
        asked = ChallengeSubject(Purpose.ADD, SESSION, alice.id)
        return security_keys.register(answer_of(key, **changes), name, alice, here, asked, settings)

    return one


@pytest.fixture
def key(register):
    mine = WebauthnKey()
    register(mine)
    return mine


@pytest.fixture
def passkey(register):
    mine = WebauthnKey(step=0, passkey=True, transports=("internal", "hybrid"))
    register(mine, "Telephone")
    return mine


@pytest.fixture
def answer(alice, here, settings):
    """`answer(key, **changes)`: Alice's second step with a key; raises KeyRefusedError."""
    asked = ChallengeSubject(Purpose.SECOND_STEP, SESSION, alice.id)

    def one(key, **changes):
        options = security_keys.assertion_options(alice, here, asked, settings)
        return security_keys.verify(key.get(options, **changes), alice, here, asked, settings)

    return one


@pytest.fixture
def sign_in(here, settings):
    """`sign_in(key, **changes)`: with a passkey alone; raises KeyRefusedError."""
    asked = ChallengeSubject(Purpose.SIGN_IN, "a visitor's session")

    def one(key, **changes):
        options = security_keys.assertion_options(None, here, asked, settings)
        return security_keys.verify(key.get(options, **changes), None, here, asked, settings)

    return one


def fault_of(act, *args, **changes) -> KeyFault:
    with pytest.raises(KeyRefusedError) as refused:
        act(*args, **changes)
    return refused.value.fault


# --- for whom keys answer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://mail.lycee.example", ("mail.lycee.example", "https://mail.lycee.example")),
        ("https://Mail.Lycee.example:443/webmail/", ("mail.lycee.example", "https://mail.lycee.example")),
        ("https://mail.lycee.example:8443", ("mail.lycee.example", "https://mail.lycee.example:8443")),
        ("https://courriel.lycée.example", ("courriel.xn--lyce-dpa.example", "https://courriel.xn--lyce-dpa.example")),
        ("http://localhost:8080", ("localhost", "http://localhost:8080")),
        ("https://localhost", ("localhost", "https://localhost")),
        ("", None),
        ("http://mail.lycee.example", None),
        ("http://127.0.0.1:8080", None),
        ("https://192.0.2.7", None),
        ("https://[2001:db8::7]", None),
    ],
)
def test_the_site_comes_from_the_public_address(settings, address, expected):
    found = security_keys.site(replace(settings, public_url=address))
    assert found == (Site(*expected, "Lycée Ampère") if expected else None)


# --- registering one -------------------------------------------------------------------------------------------------


def test_a_key_is_asked_for_a_passkey_if_it_can(alice, here, settings):
    options = security_keys.registration_options(alice, here, ChallengeSubject(Purpose.ADD, SESSION, alice.id), settings)
    assert options["rp"] == {"id": RP_ID, "name": "Lycée Ampère"}
    assert options["authenticatorSelection"]["residentKey"] == "preferred"
    assert options["authenticatorSelection"]["userVerification"] == "preferred"
    assert options["attestation"] == "none"
    assert options["extensions"] == {"credProps": True, "prf": {}}
    json.dumps(options)


def test_what_a_key_calls_a_person_does_not_name_them_and_stays(alice, bob, here, settings):
    handles = [
        security_keys.registration_options(one, here, ChallengeSubject(Purpose.ADD, SESSION, one.id), settings)["user"]["id"]
        for one in (alice, alice, bob)
    ]
    assert handles[0] == handles[1] != handles[2]
    assert len(decoded(handles[0])) == 32


def test_a_key_is_kept(register, alice):
    mine = WebauthnKey(count=3)
    found = register(mine)
    row = SecurityKey.get()
    assert row == found
    assert (row.user, row.name, bytes(row.credential_id), row.sign_count) == (alice, "Blue key", mine.identifier, 3)
    assert (row.transports, row.passkey, row.used) == ("usb", False, None)


def test_a_key_with_a_pin_that_holds_the_name_is_a_passkey(passkey):
    row = SecurityKey.get()
    assert row.passkey is True
    assert row.transports == "internal,hybrid"


def test_a_key_that_is_registered_is_left_out_the_next_time(key, alice, here, settings):
    options = security_keys.registration_options(alice, here, ChallengeSubject(Purpose.ADD, SESSION, alice.id), settings)
    assert options["excludeCredentials"] == [{"id": encoded(key.identifier), "type": "public-key", "transports": ["usb"]}]


def test_a_key_is_registered_once_for_whomever(key, register, bob, here, settings):
    assert fault_of(register, key) is KeyFault.REGISTERED
    asked = ChallengeSubject(Purpose.ADD, SESSION, bob.id)
    answered = key.create(security_keys.registration_options(bob, here, asked, settings))
    assert fault_of(security_keys.register, answered, "Mine", bob, here, asked, settings) is KeyFault.REGISTERED
    assert SecurityKey.select().count() == 1


def test_nobody_has_more_keys_than_pages_can_show(register, monkeypatch):
    monkeypatch.setattr(security_keys, "MOST", 2)
    register(WebauthnKey())
    register(WebauthnKey())
    assert fault_of(register, WebauthnKey()) is KeyFault.MOST


def test_what_a_maker_attests_is_not_read(register):
    register(WebauthnKey(), format="packed", statement={"alg": -7, "sig": b"no signature", "x5c": [b"no certificate"]})
    assert SecurityKey.select().count() == 1


def test_the_answer_to_a_registration_is_good_once(answer_of, alice, here, settings):
    asked, answered = ChallengeSubject(Purpose.ADD, SESSION, alice.id), answer_of(WebauthnKey())
    security_keys.register(answered, "Key", alice, here, asked, settings)
    SecurityKey.delete().execute()
    assert fault_of(security_keys.register, answered, "Key", alice, here, asked, settings) is KeyFault.EXPIRED


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://mail.lycee.example.evil.example"},
        {"origin": "http://mail.lycee.example"},
        {"rp_id": "evil.example"},
        {"challenge": encoded(b"c" * 64)},
        {"challenge": ""},
        {"kind": "webauthn.get"},
        {"present": False},
        {"alg": -65535},  # RSA with SHA-1
        {"alg": -36},  # not offered
        {"cross_origin": True},
        {"public_key": b"\x00"},
        {"public_key": dumps({1: 2, 3: -7, -1: 1, -2: b"\x01" * 32, -3: b"\x02" * 32})},  # not on the curve
        {"public_key": dumps({1: 3, 3: -257, -1: b"\xff" * 2048, -2: b"\x01\x00\x01"})},  # RSA of 16,384 bits
        {"public_key": b"\x9f" * 500},  # arrays in arrays
        {"public_key": b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"},  # an array of 2^63 elements
        {"public_key": b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"},
    ],
)
def test_wrong_registrations_are_refused(register, changes):
    assert fault_of(register, WebauthnKey(), **changes) is KeyFault.INVALID
    assert SecurityKey.select().count() == UsedChallenge.select().count() == 0


# --- the second step -------------------------------------------------------------------------------------------------


def test_a_key_is_asked_for_by_name(key, passkey, alice, here, settings):
    options = security_keys.assertion_options(alice, here, ChallengeSubject(Purpose.SECOND_STEP, SESSION, alice.id), settings)
    assert [one["id"] for one in options["allowCredentials"]] == [encoded(key.identifier), encoded(passkey.identifier)]
    assert (options["userVerification"], options["rpId"]) == ("preferred", RP_ID)


def test_the_right_answer_is_taken_and_noted(key, answer, alice):
    found = answer(key)
    assert found.user == alice
    row = SecurityKey.get()
    assert (row.sign_count, row.used is not None) == (1, True)


def test_a_passkey_that_does_not_count_is_taken_again_and_again(passkey, answer):
    answer(passkey)
    answer(passkey)
    assert SecurityKey.get().sign_count == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://mail.lycee.example:8443"},
        {"rp_id": "lycee.example"},
        {"challenge": encoded(b"c" * 64)},
        {"challenge": "é"},
        {"challenge": 7},
        {"kind": "webauthn.create"},
        {"present": False},
        {"cross_origin": True},
        {"handle": b"somebody else"},
        {"signer": ec.generate_private_key(ec.SECP256R1())},
    ],
)
def test_wrong_answers_are_refused(key, answer, changes):
    assert fault_of(answer, key, **changes) is KeyFault.INVALID
    assert SecurityKey.get().used is None


def test_the_right_answer_to_another_question_is_refused(key, alice, bob, here, settings):
    """Another purpose, session, person or time."""
    asked = ChallengeSubject(Purpose.SECOND_STEP, SESSION, alice.id)
    for other in (
        replace(asked, purpose=Purpose.CONFIRM),
        replace(asked, session="hash of another session"),
        replace(asked, user_id=bob.id),
    ):
        answered = key.get(security_keys.assertion_options(alice, here, other, settings))
        assert fault_of(security_keys.verify, answered, alice, here, asked, settings) is KeyFault.INVALID


def test_an_old_question_is_answered_too_late(key, alice, here, settings, monkeypatch):
    asked, real = ChallengeSubject(Purpose.SECOND_STEP, SESSION, alice.id), time.time()
    answered = key.get(security_keys.assertion_options(alice, here, asked, settings))
    monkeypatch.setattr(challenges.time, "time", lambda: real + 301)
    assert fault_of(security_keys.verify, answered, alice, here, asked, settings) is KeyFault.EXPIRED


@pytest.mark.parametrize("kind", ["key", "passkey"])
def test_an_answer_is_good_once(kind, request, alice, here, settings):
    """Of a passkey too, which has no counter."""
    asked, mine = ChallengeSubject(Purpose.SECOND_STEP, SESSION, alice.id), request.getfixturevalue(kind)
    answered = mine.get(security_keys.assertion_options(alice, here, asked, settings))
    security_keys.verify(answered, alice, here, asked, settings)
    assert fault_of(security_keys.verify, answered, alice, here, asked, settings) is KeyFault.EXPIRED


def test_an_unknown_key_is_refused(key, answer):
    assert fault_of(answer, WebauthnKey()) is KeyFault.UNKNOWN


def test_somebody_elses_key_is_refused(key, bob, here, settings):
    asked = ChallengeSubject(Purpose.SECOND_STEP, SESSION, bob.id)
    answered = key.get(security_keys.assertion_options(bob, here, asked, settings))
    assert fault_of(security_keys.verify, answered, bob, here, asked, settings) is KeyFault.UNKNOWN


@pytest.mark.parametrize("count", [5, 4, 0])
def test_a_counter_that_does_not_go_on_may_be_that_of_a_copy(key, answer, count):
    answer(key, count=5)
    with pytest.raises(KeyRefusedError) as refused:
        answer(key, count=count)
    assert refused.value.fault is KeyFault.COUNTER
    assert refused.value.key == SecurityKey.get()
    assert SecurityKey.get().sign_count == 5
    answer(key, count=6)


def test_who_does_not_have_the_key_raises_no_alarm_about_copies(key, answer):
    answer(key, count=5)
    assert fault_of(answer, key, count=1, signer=ec.generate_private_key(ec.SECP256R1())) is KeyFault.INVALID


# --- a passkey alone -------------------------------------------------------------------------------------------------


def test_a_passkey_alone_says_who_it_is(passkey, sign_in, alice, here, settings):
    options = security_keys.assertion_options(None, here, ChallengeSubject(Purpose.SIGN_IN, "s"), settings)
    assert (options["allowCredentials"], options["userVerification"]) == ([], "required")
    assert sign_in(passkey).user == alice


def test_a_key_that_signs_in_alone_is_a_passkey_whatever_the_browser_said(register, sign_in):
    mine = WebauthnKey(step=0, passkey=True)
    mine.passkey = False
    register(mine)
    mine.passkey = True
    sign_in(mine)
    assert SecurityKey.get().passkey is True


def test_a_passkey_alone_asks_for_a_pin_or_fingerprint(passkey, sign_in):
    assert fault_of(sign_in, passkey, verified=False) is KeyFault.UNVERIFIED
    assert UsedChallenge.select().count() == 1  # of the registration


@pytest.mark.parametrize("handle", [b"", b"x", b"\0" * 32])
def test_a_passkey_alone_has_to_name_its_person(passkey, sign_in, handle):
    assert fault_of(sign_in, passkey, handle=handle) is KeyFault.INVALID


def test_a_passkey_of_nobody_is_refused(passkey, sign_in):
    assert fault_of(sign_in, WebauthnKey(passkey=True)) is KeyFault.UNKNOWN


def test_a_disabled_person_does_not_come_in(passkey, sign_in):
    User.update(active=0).execute()
    assert fault_of(sign_in, passkey) is KeyFault.UNKNOWN


# --- hostile answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        "{}",
        '{"response": []}',
        '{"response": {}}',
        '{"response": {"clientDataJSON": 7}}',
        '{"response": {"clientDataJSON": "e30"}}',
        '{"response": {"clientDataJSON": "W10"}}',
        '{"response": {"clientDataJSON": "%%%%"}}',
        '{"response": {"clientDataJSON": "é"}}',
        '{"response": {"clientDataJSON": null}, "rawId": "\\ud800"}',
        "[" * 16_000,
        '{"a":' * 3000,
        '{"response": {"clientDataJSON": "' + encoded(b"[" * 11_000) + '"}}',
        "x" * (security_keys.LARGEST_ANSWER + 1),
    ],
)
def test_what_is_no_answer_is_refused(text, alice, here, settings):
    for act in (
        lambda asked: security_keys.register(text, "Key", alice, here, asked, settings),
        lambda asked: security_keys.verify(text, alice, here, asked, settings),
        lambda asked: security_keys.verify(text, None, here, asked, settings),
    ):
        assert fault_of(act, ChallengeSubject(Purpose.ADD, SESSION, alice.id)) is KeyFault.INVALID


def test_an_answer_that_is_too_large_is_not_read(key, answer, monkeypatch):
    monkeypatch.setattr(security_keys, "LARGEST_ANSWER", 100)
    monkeypatch.setattr(security_keys.json, "loads", lambda text: pytest.fail("read"))
    assert fault_of(answer, key) is KeyFault.INVALID


@pytest.mark.parametrize(
    "part", ["id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature", "userHandle"]
)
@pytest.mark.parametrize("value", [None, 7, [], {}, "", "é", "AAAA", "A" * 5000, True])
def test_no_wrong_part_is_a_fault_of_ours(key, alice, here, settings, part, value):
    """Each part in turn is something else: refused, never an error page (an empty or missing userHandle is right)."""
    asked = ChallengeSubject(Purpose.SECOND_STEP, SESSION, alice.id)
    told = json.loads(key.get(security_keys.assertion_options(alice, here, asked, settings)))
    place = told if part in told else told["response"]
    place[part] = value
    if part == "userHandle" and not value and value in (None, ""):
        security_keys.verify(json.dumps(told), alice, here, asked, settings)
        return
    with pytest.raises(KeyRefusedError):
        security_keys.verify(json.dumps(told), alice, here, asked, settings)


def test_damaged_answers_are_refused_quietly(key, answer_of, alice, here, settings):
    """Bytes changed anywhere, in registrations and answers: never an exception of a parser."""
    random = Random(15)
    adding, asked = ChallengeSubject(Purpose.ADD, SESSION, alice.id), ChallengeSubject(Purpose.SECOND_STEP, SESSION, alice.id)
    for _ in range(150):
        registration = _damaged(answer_of(WebauthnKey()), "attestationObject", random)
        with suppress(KeyRefusedError):  # an AAGUID or identifier that is changed is as good as another
            security_keys.register(registration, "Key", alice, here, adding, settings)
        SecurityKey.delete().where(SecurityKey.name == "Key").execute()
        given = key.get(security_keys.assertion_options(alice, here, asked, settings))
        for part in ("authenticatorData", "signature", "clientDataJSON"):
            with pytest.raises(KeyRefusedError):
                security_keys.verify(_damaged(given, part, random), alice, here, asked, settings)


def _damaged(text: str, part: str, random: Random) -> str:
    """The answer with one to three bytes of a part changed."""
    told = json.loads(text)
    data = bytearray(decoded(told["response"][part]))
    for at in random.sample(range(len(data)), random.randint(1, 3)):
        data[at] ^= random.randint(1, 255)
    told["response"][part] = encoded(bytes(data))
    return json.dumps(told)
