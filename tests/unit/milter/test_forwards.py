"""Forwarded mail at the door: whose it is, and where the setting lets it go."""

from __future__ import annotations

import pytest

from deploy.milter import settings
from deploy.milter.forwards import ForwardingPolicy, answerer, forwarder, refusal

OURS = frozenset({"lycee.example", "college.example"})
ANN = "ann@lycee.example"
SENT_ON = [("X-Sieve", " Pigeonhole"), ("X-Sieve-Redirected-From", f" {ANN}"), ("From", " x@far.example")]


@pytest.mark.parametrize(
    ("mode", "recipient", "allowed"),
    [
        ("off", "bob@lycee.example", False),
        ("inside", "bob@lycee.example", True),
        ("inside", "bob@LYCEE.Example.", True),
        ("inside", "bob+tag@college.example", True),
        ("inside", "bob@far.example", False),
        ("inside", "bob@sub.lycee.example", False),
        ("inside", "bob@lycee.example.far.example", False),
        ("inside", "bob@lycée.example", False),
        ("inside", "bob", False),
        ("inside", "", False),
        ("inside", "@lycee.example", False),
        ("inside", "spy%far.example@lycee.example", False),
        ("inside", "far.example!spy@lycee.example", False),
        ("inside", "|spy@lycee.example", False),
        ("inside", '"spy@far.example"@lycee.example', False),
        ("inside", "@far.example:spy@lycee.example", False),
        ("inside", "spy@far.example@lycee.example", False),
        ("inside", "root@localhost", False),
        ("domains", "bob@good.example", True),
        ("domains", "bob@xn--t-bga.example", True),
        ("domains", "bob@té.example", True),
        ("domains", "bob@x.good.example", False),
        ("domains", "bob@lycee.example", True),
        ("domains", "spy%far.example@good.example", False),
        ("anywhere", "spy%far.example@good.example", True),
    ],
)
def test_where_mail_may_go(mode, recipient, allowed):
    policy = ForwardingPolicy(mode, frozenset({"good.example", "xn--t-bga.example"}), OURS)
    assert policy.allows(ANN, recipient) is allowed
    assert (refusal(SENT_ON, [recipient], policy) == "") is allowed


def test_of_a_domain_that_is_not_of_the_establishment_inside_is_that_domain():
    policy = ForwardingPolicy("inside", frozenset(), OURS)
    assert policy.allows("eve@guest.example", "bob@guest.example")
    assert not policy.allows("eve@guest.example", "bob@lycee.example")


def test_one_recipient_that_may_not_is_enough():
    assert "spy@far.example" in refusal(SENT_ON, ["bob@lycee.example", "spy@far.example"], ForwardingPolicy("inside", ours=OURS))


def test_other_mail_of_this_machine_may_go_anywhere():
    assert refusal([("From", ANN), ("Auto-Submitted", "auto-replied")], ["x@far.example"], ForwardingPolicy("off")) == ""


def test_what_another_server_sent_on_is_no_forward_of_ours():
    """A list of this machine, or its content filter, hands mail on that has come here with such a header."""
    received = ("Received", " from far.example by mail.lycee.example")
    fields, policy = [received, *SENT_ON], ForwardingPolicy("off", ours=OURS)
    assert forwarder(fields) is None
    assert refusal(fields, ["x@far.example"], policy, "list-bounces@lycee.example") == ""
    assert refusal([*SENT_ON, received], ["x@far.example"], policy, ANN)
    notified = ("Auto-Submitted", ' auto-notified; owner-email="ann@lycee.example"')
    assert forwarder([received, notified]) == ANN  # whose script can write a Received


def test_a_notification_of_sieve_is_as_good_as_a_forward():
    fields = [("Auto-Submitted", ' auto-notified; owner-email="ann@lycee.example"')]
    assert forwarder(fields) == ANN
    assert forwarder([("Auto-Submitted", "auto-notified")]) == ""
    assert refusal(fields, ["x@far.example"], ForwardingPolicy("inside", ours=OURS))


def test_a_script_gives_a_notification_no_other_owner():
    """The header that a redirect has, asked for in the `mailto:` (RFC 5436, section 2.7)."""
    fields = [
        ("Auto-Submitted", ' auto-notified; owner-email="ann@lycee.example"'),
        ("X-Sieve-Redirected-From", " y@far.example"),
    ]
    assert forwarder(fields) == ANN
    assert refusal(fields, ["x@far.example"], ForwardingPolicy("domains", ours=OURS))
    assert forwarder(fields[::-1]) == "y@far.example"  # a notification that is sent on


@pytest.mark.parametrize("mode", ["inside", "anywhere"])
def test_a_notification_comes_from_nobody_else(mode):
    """`:from` is its From and its envelope's sender: what can't be delivered goes there whole."""
    fields, policy = [("Auto-Submitted", ' auto-notified; owner-email="ann@lycee.example"')], ForwardingPolicy(mode, ours=OURS)
    for other in ("x@far.example", "head@lycee.example"):
        assert other in refusal(fields, ["bob@lycee.example"], policy, other)
    for fine in ("postmaster@lycee.example", "Ann@lycee.example", ""):
        assert refusal(fields, ["bob@lycee.example"], policy, fine) == ""
    assert refusal(SENT_ON, ["bob@lycee.example"], policy, "") == ""


def test_the_settings_are_those_of_the_webmail(tmp_path):
    file = tmp_path / "config.toml"
    rest = 'authserv_id = "mx.lycee.example"\ndomain = "lycee.example"\nsecret_key = "x"\n'
    file.write_text(rest + 'forwarding = "domains"\nforwarding_domains = "Good.example, té.example"\n')
    found = settings.read(["--settings", str(file)]).forwarding
    assert found == ForwardingPolicy("domains", frozenset({"good.example", "xn--t-bga.example"}), frozenset({"lycee.example"}))
    file.write_text(rest)
    assert settings.read(["--settings", str(file)]).forwarding.mode == "inside"
    file.write_text(rest + 'forwarding = "some"\n')
    with pytest.raises(settings.SettingsError, match="forwarding is one of"):
        settings.read(["--settings", str(file)])


@pytest.mark.parametrize("name", ["X-Sieve-Redirected-From", "Auto-Submitted"])
def test_an_answer_is_nothing_else_whatever_its_script_writes_below(name):
    value = {"Auto-Submitted": f' auto-notified; owner-email="{ANN}"'}.get(name, f" {ANN}")
    answer = [
        ("X-Sieve", " Pigeonhole"),
        ("From", " bob@lycee.example"),
        ("Auto-Submitted", " auto-replied (vacation)"),
        (name, value),
    ]
    assert forwarder(answer) is None and answerer(answer, ANN) == ANN


def test_an_answer_that_is_sent_on_is_mail_that_is_sent_on():
    assert forwarder([*SENT_ON, ("Auto-Submitted", " auto-replied (vacation)")]) == ANN
