"""Handing a message over: what goes over the wire, and what each fault of the server becomes. Real sockets throughout."""

import base64
import ssl
import subprocess

import pytest

from tests.bench.fault_server import FaultServer
from tests.support import tokens
from webmail import smtp
from webmail.account import Account, Password, Server
from webmail.errors import (
    SendRefusedError,
    SendUncertainError,
    ServerAwayError,
    SignInRefusedError,
    TokenRefusedError,
    UnsafeValueError,
)

MESSAGE = b"From: alice@lycee.example\r\nSubject: t\r\n\r\nhello\r\n"
BOB, CARL = "bob@lycee.example", "carl@lycee.example"


def account(port, credential=None, security="none", ca_file=""):
    server = Server("127.0.0.1", port, security, 0.5, ca_file)
    return Account("alice@lycee.example", server, server, credential or Password("alice@lycee.example", "sésame"))


def send(server, content=MESSAGE, recipients=(BOB,), before=lambda: None, **options):
    who = options.pop("account", None) or account(server.port)
    return smtp.send(who, "alice@lycee.example", list(recipients), content, before_final_dot=before, **options)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(smtp, "FINAL_ANSWER_SECONDS", 0.5)


# --- what goes over the wire -----------------------------------------------------------------------------------------


def test_a_message_arrives_as_it_was():
    with FaultServer() as server:
        assert send(server) == {}
    [got] = server.messages
    assert (got.sender, got.recipients, got.content) == ("alice@lycee.example", [BOB], MESSAGE)


@pytest.mark.parametrize(
    ("content", "arrives"),
    [
        (b"a: b\n\nlone LF\n", b"a: b\r\n\r\nlone LF\r\n"),
        (b"a: b\r\rlone CR\r", b"a: b\r\n\r\nlone CR\r\n"),
        (b"a: b\r\n\r\n.\r\nnot the end\r\n", b"a: b\r\n\r\n.\r\nnot the end\r\n"),
        (b"a: b\r\n\r\n.\nMAIL FROM:<smuggled@evil.example>\r\n", b"a: b\r\n\r\n.\r\nMAIL FROM:<smuggled@evil.example>\r\n"),
        (b"a: b\r\n\r\n\r.\rDATA\r", b"a: b\r\n\r\n\r\n.\r\nDATA\r\n"),
        (b".starts with a dot", b".starts with a dot\r\n"),
        (b"a: b\r\n\r\nno end of line", b"a: b\r\n\r\nno end of line\r\n"),
        (b"", b"\r\n"),
    ],
)
def test_lines_end_in_crlf_and_dots_are_doubled(content, arrives):
    with FaultServer() as server:
        send(server, content)
    assert [m.content for m in server.messages] == [arrives]


@pytest.mark.parametrize("shift", range(-3, 4))
def test_nothing_changes_at_the_edge_of_a_chunk(shift):
    head = b"x" * (64 * 1024 + shift)
    content = head + b"\r\n.\r\n\n.\r." + b"y" * 70_000 + b"\r\n"
    with FaultServer() as server:
        send(server, content)
    assert server.messages[0].content == head + b"\r\n.\r\n\r\n.\r\n." + b"y" * 70_000 + b"\r\n"


def test_extensions_are_used_as_offered():
    with FaultServer() as server:
        send(server, MESSAGE + "é\r\n".encode(), ["élise@lycee.example"])
    mail = next(c for c in server.commands if c.startswith("MAIL"))
    assert mail == f"MAIL FROM:<alice@lycee.example> SIZE={len(MESSAGE) + 4} BODY=8BITMIME SMTPUTF8"
    assert server.messages[0].recipients == ["élise@lycee.example"]


def test_without_extensions_mail_is_plain():
    with FaultServer(extensions=()) as server:
        send(server)
    assert "MAIL FROM:<alice@lycee.example>" in server.commands
    assert not any(c.startswith("AUTH") for c in server.commands)


def test_an_international_domain_is_sent_in_ascii():
    with FaultServer() as server:
        send(server, recipients=["bob@lycée.example"])
    assert server.messages[0].recipients == ["bob@xn--lyce-dpa.example"]


def test_an_international_address_is_refused_for_good_where_the_server_takes_none():
    with FaultServer(extensions=("8BITMIME",)) as server, pytest.raises(SendRefusedError) as refused:
        send(server, recipients=["élise@lycee.example"])
    assert refused.value.permanent
    assert server.messages == []


def test_those_who_can_not_be_written_to_are_named():
    with FaultServer(extensions=("8BITMIME",)) as server, pytest.raises(SendRefusedError) as refused:
        send(server, recipients=[BOB, "élise@lycee.example"])
    assert list(refused.value.refused) == ["élise@lycee.example"]
    assert str(refused.value).startswith("553 5.6.7")


def test_an_international_address_in_the_header_alone_needs_the_extension_too():
    with FaultServer() as server:
        send(server, "Reply-To: élise@lycee.example\r\n\r\nhello\r\n".encode())
        send(server, "From: alice@lycee.example\r\n\r\nété\r\n".encode())
    assert [c.endswith("SMTPUTF8") for c in server.commands if c.startswith("MAIL")] == [True, False]


def test_delivery_is_told_of_where_it_is_asked_for_and_offered():
    with FaultServer(extensions=("DSN",)) as server:
        send(server, dsn="1+a=é@lycee.example")
        send(server)
    assert [c for c in server.commands if c[:4] in ("MAIL", "RCPT")] == [
        "MAIL FROM:<alice@lycee.example> RET=HDRS ENVID=1+2Ba+3D?@lycee.example",
        f"RCPT TO:<{BOB}> NOTIFY=SUCCESS,FAILURE,DELAY",
        "MAIL FROM:<alice@lycee.example>",
        f"RCPT TO:<{BOB}>",
    ]
    with FaultServer(extensions=()) as server:
        send(server, dsn="1@lycee.example")
    assert "MAIL FROM:<alice@lycee.example>" in server.commands


def test_a_message_over_the_announced_size_is_not_even_begun():
    with FaultServer(extensions=("SIZE 1000",)) as server, pytest.raises(SendRefusedError) as refused:
        send(server, MESSAGE + b"x" * 1000)
    assert refused.value.permanent
    assert not any(c.startswith("MAIL") for c in server.commands)


@pytest.mark.parametrize(
    "address", ["bob@x.example>\r\nRCPT TO:<eve@x.example", "bob\n@x.example", "bob\0@x.example", "b ob@x.example", "bob", ""]
)
def test_an_address_can_not_carry_a_command(address):
    with FaultServer() as server, pytest.raises(UnsafeValueError):
        send(server, recipients=[BOB, address])
    assert server.commands == []


# --- signing in ------------------------------------------------------------------------------------------------------


def decoded(command):
    return base64.b64decode(command.split()[-1]).decode()


def test_a_password_goes_by_plain():
    with FaultServer() as server:
        send(server)
    assert decoded(next(c for c in server.commands if c.startswith("AUTH PLAIN"))) == "\0alice@lycee.example\0sésame"


def test_a_password_goes_by_login_where_plain_is_not_offered():
    with FaultServer(extensions=("AUTH LOGIN",)) as server:
        send(server)
    at = server.commands.index("AUTH LOGIN")
    assert [decoded(c) for c in server.commands[at + 1 : at + 3]] == ["alice@lycee.example", "sésame"]


@pytest.fixture(scope="module")
def token():
    return tokens.token()


@pytest.mark.parametrize(
    ("offered", "starts"),
    [
        ("AUTH PLAIN XOAUTH2 OAUTHBEARER", "n,a=alice@lycee.example,\1host=127.0.0.1\1port={port}\1auth=Bearer ey"),
        ("AUTH XOAUTH2", "user=alice@lycee.example\1auth=Bearer ey"),
    ],
)
def test_a_token_goes_by_the_best_bearer_mechanism(offered, starts, token):
    with FaultServer(extensions=(offered,)) as server:
        send(server, account=account(server.port, token))
    at = next(i for i, c in enumerate(server.commands) if c.startswith("AUTH"))
    said = server.commands[at] if len(server.commands[at].split()) == 3 else server.commands[at + 1]
    assert decoded(said).startswith(starts.format(port=server.port))
    assert decoded(said).endswith("\1\1")
    assert all(len(c) <= 510 for c in server.commands if c.startswith("AUTH"))


def test_no_common_mechanism_is_a_refusal(token):
    with FaultServer(extensions=("AUTH PLAIN",)) as server, pytest.raises(TokenRefusedError, match="PLAIN"):
        send(server, account=account(server.port, token))


def test_no_password_holds_a_null():
    with FaultServer() as server, pytest.raises(UnsafeValueError):
        send(server, account=account(server.port, Password("alice", "a\0b")))


# --- encryption ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run(["openssl", "req", "-x509", *curve, *files, *subject], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, str(folder / "cert.pem")


def starttls_server(certificate, *faults):
    server = FaultServer(*faults, extensions=("STARTTLS", "AUTH PLAIN"))
    server.tls = lambda sock: certificate[0].wrap_socket(sock, server_side=True)
    return server


def test_starttls_comes_before_the_password(certificate):
    with starttls_server(certificate) as server:
        send(server, account=account(server.port, security="starttls", ca_file=certificate[1]))
    verbs = [c.split()[0].upper() for c in server.commands]
    assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]
    assert len(server.messages) == 1


def test_an_unknown_certificate_gets_no_password(certificate):
    with starttls_server(certificate) as server, pytest.raises(ServerAwayError):
        send(server, account=account(server.port, security="starttls"))
    assert not any(c.startswith("AUTH") for c in server.commands)


def test_a_server_without_starttls_gets_no_password(certificate):
    with FaultServer() as server, pytest.raises(ServerAwayError):
        send(server, account=account(server.port, security="starttls", ca_file=certificate[1]))
    assert not any(c.startswith("AUTH") for c in server.commands)


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "permanent"),
    [
        ("421@connect", ServerAwayError, None),
        ("554@connect", ServerAwayError, None),
        ("hang@connect", ServerAwayError, None),
        ("drop@connect", ServerAwayError, None),
        ("421@ehlo", ServerAwayError, None),
        ("hang@ehlo", ServerAwayError, None),
        ("535@auth", SignInRefusedError, None),
        ("454@auth", ServerAwayError, None),
        ("hang@auth", ServerAwayError, None),
        ("450@mail", SendRefusedError, False),
        ("550@mail", SendRefusedError, True),
        ("421@mail", SendRefusedError, False),
        ("451@rcpt", SendRefusedError, False),
        ("550@rcpt", SendRefusedError, True),
        ("421@rcpt", ServerAwayError, None),
        ("hang@rcpt", ServerAwayError, None),
        ("452@data", SendRefusedError, False),
        ("554@data", SendRefusedError, True),
        ("drop@data", ServerAwayError, None),
        ("hang@data", ServerAwayError, None),
        ("451@dot", SendRefusedError, False),
        ("552@dot", SendRefusedError, True),
        ("554@dot", SendRefusedError, True),
        ("drop@dot", SendUncertainError, None),
        ("hang@dot", SendUncertainError, None),
        ("999x@dot", None, None),
    ],
)
def test_each_fault_has_its_outcome(fault, kind, permanent):
    with FaultServer(fault) as server:
        if kind is None:
            assert send(server) == {}
            return
        with pytest.raises(kind) as raised:
            send(server)
    assert server.messages == []
    if permanent is not None:
        assert raised.value.permanent is permanent
        assert fault[:3] in str(raised.value)


@pytest.mark.parametrize("fault", ["drop@answer", "hang@answer"])
def test_accepted_but_not_told_is_uncertain(fault):
    with FaultServer(fault) as server, pytest.raises(SendUncertainError):
        send(server)
    assert len(server.messages) == 1


def test_a_connection_broken_in_mid_message_has_sent_nothing():
    with FaultServer("drop@content") as server, pytest.raises(ServerAwayError):
        send(server, MESSAGE + b"x\r\n" * 3_000_000)
    assert server.messages == []


def test_a_refusal_in_mid_content_is_heard():
    with FaultServer("552@content") as server, pytest.raises(SendRefusedError) as refused:
        send(server, MESSAGE + b"x\r\n" * 3_000_000)
    assert refused.value.permanent
    assert server.messages == []


def test_refused_recipients_are_named_and_the_others_get_it():
    with FaultServer("mix@rcpt") as server:
        refused = send(server, recipients=[BOB, "nobody@lycee.example", CARL])
    assert refused == {"nobody@lycee.example": "550 5.1.1 no such user"}
    assert server.messages[0].recipients == [BOB, CARL]


def test_all_refused_and_one_of_them_only_for_now_is_not_for_good():
    class Picky(FaultServer):
        def next_fault(self):
            return "450@rcpt"

    with Picky() as server, pytest.raises(SendRefusedError) as refused:
        send(server, recipients=[BOB, CARL])
    assert not refused.value.permanent
    assert set(refused.value.refused) == {BOB, CARL}


def test_nobody_listens():
    with FaultServer() as server:
        port = server.port
    with pytest.raises(ServerAwayError):
        smtp.send(account(port), "alice@lycee.example", [BOB], MESSAGE, before_final_dot=lambda: None)


# --- the moment before the dot ---------------------------------------------------------------------------------------


def test_before_the_dot_everything_is_out_and_nothing_is_accepted():
    seen = []
    with FaultServer() as server:
        send(server, before=lambda: seen.append((len(server.messages), server.commands[-1])))
    assert seen == [(0, "DATA")]
    assert len(server.messages) == 1


def test_when_the_caller_objects_nothing_is_sent():
    class Objection(Exception):
        pass

    def object_to_it():
        raise Objection

    with FaultServer() as server, pytest.raises(Objection):
        send(server, before=object_to_it)
    assert server.messages == []


def test_a_rude_goodbye_changes_nothing():
    class Rude(FaultServer):
        pass

    with Rude() as server:
        server.extensions = ()
        assert send(server) == {}
    assert len(server.messages) == 1


def test_the_words_of_the_server_carry_no_control_characters():
    assert smtp._reply_text(550, b"no\x1b[31m such\r\nuser\xff") == "550 no [31m such user\ufffd"
