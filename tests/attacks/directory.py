"""Getting in by the LDAP directory: names that are filters, passwords that are none, entries that lie, servers that are away."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.attacks.ground import PASSWORD as LOCAL
from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from tests.attacks.timing import _UNLIKELY, ranks_alike
from tests.support import directory as support
from tests.support.directory import BASE, PASSWORD, Directory
from tests.support.servers import certificate, silent
from tests.support.waiting import eventually
from webmail.models import LinkedAccount, Session, User

_OTHER = "only ann knows this"  # the password of ann; all others have PASSWORD
_NAMES = (  # 27 ways of saying somebody else in a filter or a DN, or of breaking out of it
    "*", "cl*", "*leo", "cleo*", "*)(uid=*", "*)(uid=cleo", "*)(&", "*)(|(uid=*", "cleo)(uid=cleo", "cleo)(|(uid=*", "x)(|(uid=cleo)",
    "x)(uid=*))(|(uid=*", "*))%00", "cleo\0", "cleo\0)(uid=*", "\\63leo", "\\2a", "cleo\\00", "cleo,ou=people,dc=lycee,dc=example",
    "uid=cleo", "cleo)(!(uid=nobody)", "ann\r\ncleo", "cleo\nuid: ann", "cl\u0435o", "ｃｌｅｏ", "cle\u00ado", "cleo" + "a" * 100_000,
)  # fmt: skip
_SPELLINGS = (
    "ａｎｎ",
    "ａnn",
    "aｎn",
    "anｎ",
    "ª\u006en",
    "ann\ufe0f",
    "an\u034fn",
    "a\u2060nn",
    "ann\u180b",
)  # of ann, to a directory


def attacks(ground: Ground) -> list[Finding]:
    if why := support.missing():
        return [Finding("A directory", 0, f"not tried: {why}", True)]
    with support.running(3) as slapd, _own_instance() as folder:
        _prepare(slapd)
        return [
            *_typed(ground, slapd, folder),
            *_entries(ground, slapd, folder),
            *_servers(ground, slapd, folder),
        ]


def _prepare(slapd: Directory) -> None:
    slapd.change(f"uid=ann,{BASE}", userPassword=_OTHER)


# --- what is typed ---------------------------------------------------------------------------------------------------


def _typed(ground: Ground, slapd: Directory, folder: Path) -> list[Finding]:
    with _web(ground, folder, slapd.as_table(), sign_in_attempts=1_000_000) as web:
        return [
            _injected(ground, web),
            _spelled(ground, web, slapd),
            _empty(ground, web, slapd),
            _timed(ground, web),
            _kept(ground, web),
        ]


def _injected(ground: Ground, web: Web) -> Finding:
    assert len(_NAMES) == 27
    tries = [*_NAMES] + [f"{name}@lycee.example" for name in _NAMES]
    refused = sum(_status(web, name, PASSWORD) in (401, 413) for name in tries)
    people = _accounts(ground)
    words = f"{refused} of {len(tries)} refused as a wrong name, {len(people)} accounts made"
    return Finding(
        "27 filters and DNs as the name, alone and as an address", len(tries), words, refused == len(tries) and not people
    )


def _spelled(ground: Ground, web: Web, slapd: Directory) -> Finding:
    """Each would have tries of its own at the password of the same person."""
    with slapd.root() as connection:
        found = sum(bool(connection.search_s(BASE, 2, f"(uid={name})", ["1.1"])) for name in _SPELLINGS)
    refused = sum(_status(web, name, _OTHER) == 401 for name in _SPELLINGS)
    words = f"the directory takes {found} for the same name; with the right password {refused} of {len(_SPELLINGS)} are refused"
    return Finding("Other spellings of a name, each with tries of its own", len(_SPELLINGS), words, refused == len(_SPELLINGS))


def _empty(ground: Ground, web: Web, slapd: Directory) -> Finding:
    """The server says yes to a name without a password: it takes that for nobody in particular (RFC 4513 section 5.1.2)."""
    says_yes = _binds(slapd, f"uid=ann,{BASE}", "")
    tries = ("", "\0", "\0" + _OTHER, "\n")
    refused = sum(_status(web, "ann", password) == 401 for password in tries)
    words = (
        f"the directory itself says yes to an empty one: {'yes' if says_yes else 'no'}; refused here: {refused} of {len(tries)}"
    )
    held = says_yes and refused == len(tries) and not _accounts(ground)
    return Finding("An empty password (unauthenticated bind), and passwords with NUL", len(tries), words, held)


def _timed(ground: Ground, web: Web) -> Finding:
    """Two binds and a search in either case, and no more: a name that nobody has is tried as an entry that is not there."""
    rounds, times, chance = ground.times(200), {"ben": [], "nobody": []}, random.Random(1)  # type: dict[str, list[float]]
    browser = web.browser()
    browser.open()
    for number in range(rounds + 2):
        names = list(times)
        chance.shuffle(names)
        for name in names:
            answer = browser.sign_in(name, "wrong")
            assert answer.status == 401
            if number >= 2:
                times[name].append(answer.ms)
    known, unknown = median(times["ben"]), median(times["nobody"])
    alike = ranks_alike(times["nobody"], times["ben"])
    words = f"median {unknown:.1f} ms, and {known:.1f} for one that it knows; p = {alike:.2f} (Mann-Whitney)"
    return Finding(
        "The time that refusing a name takes that the directory does not know",
        rounds,
        words,
        abs(unknown - known) < 5 or alike > _UNLIKELY,
    )


def _kept(ground: Ground, web: Web) -> Finding:
    """What is found in a copy of the database after signing in."""
    assert _status(web, "ann", _OTHER) == 303
    with ground.tables():
        session = next(row for row in Session.select() if row.user.address == "ann@lycee.example")
        User.update(second_step=0).where(User.id == session.user.id).execute()
        sealed = session.credential is not None
    files = [ground.database, Path(f"{ground.database}-wal")]
    there = any(_OTHER.encode() in file.read_bytes() for file in files if file.exists())
    words = f"in clear: {'yes' if there else 'no'}; sealed: {'yes' if sealed else 'no'}"
    return Finding("The directory's password in a copy of the database", 1, words, not there and not sealed)


# --- what entries say ------------------------------------------------------------------------------------------------


def _entries(ground: Ground, slapd: Directory, folder: Path) -> list[Finding]:
    with _web(ground, folder, slapd.as_table()) as web:
        return [
            _takeover(ground, web, slapd),
            _first(ground, web, slapd),
            _elsewhere(ground, web, slapd),
            _twice(ground, web, slapd),
            _role(ground, web, slapd),
            _swollen(ground, web, slapd),
            _gone(ground, web, slapd),
            _referred(ground, web, slapd),
        ]


def _takeover(ground: Ground, web: Web, slapd: Directory) -> Finding:
    """Somebody writes another's address into their own entry, as many directories let them."""
    victims = {
        "an account with a password here": ground.person(),
        "an administrator's": ground.person(role="admin"),
        "an administrator's without a password": ground.person(role="admin", password=""),
        "one of another provider": ground.person(password="", provider="oidc:ent"),
        "one of somebody else in the directory": "ann@lycee.example",
    }
    assert _status(web, "ann", _OTHER) == 303
    refused = 0
    for number, address in enumerate(victims.values()):
        slapd.person(f"mallory{number}", mail=address)
        refused += _status(web, f"mallory{number}", PASSWORD) == 403
    words = f"{refused} of {len(victims)} told that the account is not theirs: {', '.join(victims)}"
    return Finding("Another's address in one's own entry", len(victims), words, refused == len(victims))


def _first(ground: Ground, web: Web, slapd: Directory) -> Finding:
    """The same before the other has signed in for the first time, so that there is no account to protect."""
    slapd.person("iris")
    slapd.person("mallory", mail="iris@lycee.example")
    status = _status(web, "mallory", PASSWORD)
    slapd.remove(f"uid=mallory,{BASE}")
    later = _status(web, "iris", PASSWORD)
    words = f"refused, as two entries have it ({status}); once that is mended its owner gets in ({later})"
    return Finding("The same, before its owner has an account", 1, words, (status, later) == (403, 303))


def _elsewhere(ground: Ground, web: Web, slapd: Directory) -> Finding:
    addresses = (
        "x@elsewhere.example",
        "x@lycee.example.elsewhere.example",
        "x@y@lycee.example",
        "x",
        "",
        "x@xn--lyce-dpa.example",
    )
    for number, address in enumerate(addresses):
        slapd.person(f"stranger{number}", mail=address)
    statuses = [_status(web, f"stranger{number}", PASSWORD) for number in range(len(addresses))]
    made = [one for one in _accounts(ground) if not one.endswith("@lycee.example")]
    words = f"accounts of other domains made: {len(made)}; a bare name is one of ours: {statuses[3] == 303}"
    return Finding("Addresses of other domains, or none, in the entry", len(addresses), words, not made)


def _twice(ground: Ground, web: Web, slapd: Directory) -> Finding:
    slapd.add(f"ou=more,{BASE}", objectClass="organizationalUnit", ou="more")
    slapd.add(f"uid=ben,ou=more,{BASE}", **support.person("ben"))
    status = _status(web, "ben", PASSWORD)
    slapd.remove(f"uid=ben,ou=more,{BASE}")
    return Finding("A second entry with another's name", 1, f"both are refused ({status})", status == 401)


def _role(ground: Ground, web: Web, slapd: Directory) -> Finding:
    groups = ("admin", "Administrators", "Domain Admins", "root")
    slapd.person("eve", employeeType="admin", title="admin", description="role: admin")
    for name in groups:
        slapd.add(f"cn={name},ou=groups,dc=lycee,dc=example", objectClass="groupOfNames", cn=name, member=f"uid=eve,{BASE}")
    assert _status(web, "eve", PASSWORD) == 303
    with ground.tables():
        role = User.get(User.address == "eve@lycee.example").role
    return Finding(
        "Groups and titles of administrators in the entry",
        len(groups) + 3,
        f"the account is of the role {role!r}",
        role == "person",
    )


def _swollen(ground: Ground, web: Web, slapd: Directory) -> Finding:
    name = "<script>" + "x" * 100_000
    mails = [f"fred{number}@elsewhere.example" for number in range(500)]
    slapd.person("fred", displayName=name, mail=[*mails, "fred@lycee.example"])
    before = time.monotonic()
    status = _status(web, "fred", PASSWORD)
    seconds = time.monotonic() - before
    with ground.tables():
        stored = [len(user.name) for user in User.select().where(User.address == "fred@lycee.example")]
    words = f"answered in {seconds:.1f} s with {status}; stored of the name: {stored[0] if stored else 0} letters"
    return Finding("A name of 100,000 letters and 500 addresses", 1, words, seconds < 5 and max(stored, default=0) <= 190)


def _gone(ground: Ground, web: Web, slapd: Directory) -> Finding:
    """Locked by the directory's password policy, without a password, or marked as gone."""
    slapd.change(slapd.person("locked"), pwdAccountLockedTime="000001010000Z")
    slapd.person("bare", userPassword="")
    slapd.person("left", employeeType="gone")
    refused = sum(_status(web, name, PASSWORD) == 401 for name in ("locked", "bare", "left"))
    return Finding("People whom the directory has locked, or who left", 3, f"{refused} of 3 are refused", refused == 3)


def _referred(ground: Ground, web: Web, slapd: Directory) -> Finding:
    """An entry that refers to the attacker's own server, which would say yes to everything."""
    with _listening() as (port, seen):
        slapd.add(
            f"uid=grace,{BASE}", objectClass=["referral", "extensibleObject"], uid="grace",
            ref=f"ldap://127.0.0.1:{port}/uid=grace,{BASE}",
        )  # fmt: skip
        statuses = [_status(web, name, PASSWORD) for name in ("grace", "cleo")]
    with slapd.root() as connection:
        import ldap

        connection.set_option(ldap.OPT_REFERRALS, 0)
        control = ldap.controls.simple.ManageDSAITControl()
        connection.delete_ext_s(f"uid=grace,{BASE}", serverctrls=[control])
    words = f"connections to the other server: {len(seen)}; its person is refused ({statuses[0]}), others still get in ({statuses[1]})"
    return Finding("A referral to another server", 2, words, not seen and statuses == [401, 303])


# --- what servers do -------------------------------------------------------------------------------------------------


def _servers(ground: Ground, slapd: Directory, folder: Path) -> list[Finding]:
    return [
        *(_not_trusted(ground, slapd, folder)),
        _away(ground, slapd, folder),
        _slow(ground, slapd, folder),
    ]


def _not_trusted(ground: Ground, slapd: Directory, folder: Path) -> Iterator[Finding]:
    _context, other = certificate(folder)
    by_name = slapd.as_table(url=f"ldaps://localhost:{slapd.tls_port}")  # the certificate is for 127.0.0.1
    wrong = {
        "of another authority, StartTLS": slapd.as_table(ca_file=other),
        "of another authority, ldaps": slapd.as_table(url=f"ldaps://127.0.0.1:{slapd.tls_port}", ca_file=other),
        "for another name": by_name,
    }
    told = []
    for table in wrong.values():
        with _web(ground, folder, table) as web:
            told.append(_status(web, "ben", PASSWORD))
    words = f"{', '.join(wrong)}: no password is sent, told as away ({', '.join(map(str, told))})"
    yield Finding("A directory whose certificate is not right", len(wrong), words, told == [502] * len(wrong))


def _away(ground: Ground, slapd: Directory, folder: Path) -> Finding:
    person = ground.person()
    with _web(ground, folder, slapd.as_table(url="ldap://127.0.0.1:1")) as web:
        answers = [_in_english(web).sign_in("ben", PASSWORD) for _ in range(15)]
        said = sum(one.status == 502 and "The directory is not responding" in one.text for one in answers)
        before = time.monotonic()
        status = _status(web, person, LOCAL)
        seconds = time.monotonic() - before
    words = (
        f"said plainly {said} times of 15, not counted as guessing; who has a password here gets in ({status}) in {seconds:.1f} s"
    )
    return Finding("The directory is away", 15, words, said == 15 and status == 303 and seconds < 2)


def _slow(ground: Ground, slapd: Directory, folder: Path) -> Finding:
    """It takes connections and never answers: forty people wait for it on sixteen threads. Compared with one that does answer."""
    many = {"sign_in_attempts": 1_000_000}  # the crowd is at one address
    with _web(ground, folder, slapd.as_table(), **many) as web:
        usual = _beside_a_crowd(ground, web)
    with silent() as port, _web(ground, folder, slapd.as_table(url=f"ldap://127.0.0.1:{port}"), **many) as web:
        times = _beside_a_crowd(ground, web)
    words = (
        f"40 people keep trying; meanwhile who has a password here got in {len(times)} times, in {median(times):.1f} s mostly, "
        f"{max(times):.1f} s at most; where it answers them: {median(usual):.1f} and {max(usual):.1f} s"
    )
    return Finding("The directory takes connections and never answers", 40, words, max(times) < max(6.0, 2 * max(usual)))


def _beside_a_crowd(ground: Ground, web: Web) -> list[float]:
    """How long sign-ins by a password of ours take, in seconds, while forty people keep trying by the directory."""
    person, over, times = ground.person(), threading.Event(), []
    crowd = [threading.Thread(target=_keep_trying, args=(web, f"crowd{number}", over)) for number in range(40)]
    for one in crowd:
        one.start()
    time.sleep(0.5)
    until = time.monotonic() + (7 if ground.quick else 20)
    try:
        while time.monotonic() < until:
            before = time.monotonic()
            # on a machine that is busy with other things too they may be told to come back: that is a part of their time
            eventually(lambda: _status(web, person, LOCAL) == 303, seconds=60, step=0.2, what="a sign-in by a password of ours")
            times.append(time.monotonic() - before)
    finally:
        over.set()
        for one in crowd:
            one.join()
    return times


def _keep_trying(web: Web, name: str, over: threading.Event) -> None:
    while not over.wait(0.2):
        with contextlib.suppress(OSError):
            _status(web, name, PASSWORD)


# --- tools -----------------------------------------------------------------------------------------------------------


@contextmanager
def _own_instance() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextmanager
def _web(ground: Ground, folder: Path, ldap: dict[str, Any], **settings: str | int) -> Iterator[Web]:
    """A web process with this directory, on the ground's accounts; its accounts are forgotten before."""
    instance = Path(tempfile.mkdtemp(dir=folder))
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in ldap.items()]
    (instance / "config.toml").write_text("\n".join(["[ldap]", *lines]) + "\n")
    with ground.tables():
        for link in list(LinkedAccount.select().where(LinkedAccount.provider == "ldap")):
            link.user.delete_instance(recursive=True)
    with ground.web(instance=str(instance), **settings) as web:
        yield web


def _status(web: Web, name: str, password: str) -> int:
    browser: Browser = web.browser()
    return browser.sign_in(name, password).status


def _in_english(web: Web) -> Browser:
    browser = web.browser()
    browser.visitor.headers["Accept-Language"] = "en"
    return browser


def _accounts(ground: Ground) -> list[str]:
    with ground.tables():
        return [row.user.address for row in LinkedAccount.select().where(LinkedAccount.provider == "ldap")]


def _binds(slapd: Directory, dn: str, password: str) -> bool:
    import ldap

    connection = ldap.initialize(slapd.settings().url)
    try:
        connection.simple_bind_s(dn, password)
    except ldap.LDAPError:
        return False
    finally:
        connection.unbind_s()
    return True


@contextmanager
def _listening() -> Iterator[tuple[int, list[object]]]:
    """A server of the attacker's: who came to it."""
    seen: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    seen.append(server.accept())

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], seen
        server.shutdown(socket.SHUT_RDWR)
