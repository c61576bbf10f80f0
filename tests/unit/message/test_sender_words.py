"""Words about a sender: what the line above a message says."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from webmail.message.trust import SenderPlace, SenderWarning, Trust, TrustLevel, WarningKind
from webmail.message.views.sender import trust_facts
from webmail.mime.headers.authentication import Authentication, Verdict

ALICE = "alice@lycee.example"
FORGED = SenderWarning(WarningKind.UNPROVEN, TrustLevel.DANGER, ALICE)
CAREFUL = SenderWarning(WarningKind.ROLE, TrustLevel.CAUTION, "Direction", ALICE)


@pytest.fixture
def pages():
    app = Flask("words")
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("warnings", "verdict", "first"),
    [
        ((FORGED,), Verdict.UNVERIFIED, "claims to be inside your organisation"),
        ((FORGED,), Verdict.FAILED, "claims to be inside your organisation"),
        ((FORGED,), Verdict.GENUINE, "inside your organisation"),  # a colleague, under another's name
        ((CAREFUL,), Verdict.UNVERIFIED, "inside your organisation"),
        ((), Verdict.UNVERIFIED, "inside your organisation"),
    ],
)
def test_who_is_dangerous_and_unproven_only_claims_to_be_inside(pages, warnings, verdict, first):
    trust = Trust(ALICE, SenderPlace.INSIDE, authentication=Authentication(verdict), warnings=warnings)
    with force_locale("en"):
        assert trust_facts(trust)[0] == first
