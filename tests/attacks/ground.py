"""The ground: a Traboule of its own on the demo's real servers, people with known passwords, and browsers to attack them with."""

from __future__ import annotations

import http.client
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.demo import accounts
from deploy.demo.accounts import DOMAIN
from deploy.demo.child import HOST
from deploy.demo.services import Services
from tests.bench import instance, machine
from tests.bench.visitor import Answer, Visitor, fields
from webmail.auth.factors import authenticator, recovery_codes, second_step
from webmail.auth.passwords import hashing
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.models import LimitUse, TakenTurn, User, WaitingPlace, now

PASSWORD = "cheval pile agrafe nuage"
_THREADS = 32  # as in deploy/traboule-web.service: limits of what is done at once are made for that
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Web:
    """A web service; `cpu()` is the processor time that its processes have used, in seconds."""

    port: int
    pid: int

    def cpu(self) -> float:
        used = 0.0
        for pid in machine.family([self.pid]):
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += (int(words[11]) + int(words[12])) / _TICKS
        return used

    def browser(self, network: str = "") -> Browser:
        """A new browser; `network` is what a trusted proxy says of where it is."""
        return Browser(Visitor(HOST, self.port, {"X-Forwarded-For": network} if network else {}))


def without_tokens(page: str) -> str:
    """A page without the tokens of its forms, which tell the second at which they were made, and their ids."""
    return re.sub(r'(name="(?:csrf_token|form_id)"[^>]*value=")[^"]*', r"\1", page)


@dataclass
class Browser:
    """A browser, and the forms that it has open."""

    visitor: Visitor
    form: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        return self._again(lambda: self.visitor.get(path))

    def open(self, path: str = "/login") -> Answer:
        """Open a page, and keep the token of its forms."""
        answer = self.get(path)
        self.form = {"csrf_token": token} if (token := fields(answer.text).get("csrf_token")) else {}
        return answer

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> Answer:
        """Send the form of the sign-in page, which is opened first if none is."""
        if not self.form:
            self.open()
        answer = self.post("/login", username=name, password=password, **more)
        if answer.status == 303:
            self.form = {}  # a new session has a token of its own
        return answer

    def post(self, path: str, **data: str) -> Answer:
        return self._again(lambda: self.visitor.post(path, {**self.form, **data}))

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        """As programs do."""
        return self._again(lambda: self.visitor.send(method, path, body, headers))

    def _again(self, ask: Callable[[], Answer]) -> Answer:
        """The server closes a connection whose form it did not read: the next request opens another."""
        try:
            return ask()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.visitor.close()
            return ask()

    def sign_out(self) -> None:
        self.open("/account/password")
        assert self.post("/logout").status == 303
        self.form = {}


@dataclass
class Ground:
    """A context manager, whose web processes end with it. `quick`: a tenth of the tries, and no waiting: the clock is set forward where somebody would have to."""

    services: Services
    quick: bool = False
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))
    _open: ExitStack = field(default_factory=ExitStack)
    _idle: dict[tuple[int, tuple[tuple[str, str | int], ...]], list[Web]] = field(default_factory=dict)

    def times(self, number: int) -> int:
        return number // 10 if self.quick else number

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *_error: object) -> None:
        self._open.close()

    @contextmanager
    def web(self, processes: int = 1, **settings: str | int) -> Iterator[Web]:
        """A web service with these settings, behind a proxy that it trusts: one that nobody has at the moment, or a new one."""
        idle = self._idle.setdefault((processes, tuple(sorted(settings.items()))), [])
        web = idle.pop() if idle else self._new_web(processes, settings)
        self.forget()
        try:
            yield web
        finally:
            idle.append(web)

    def _new_web(self, processes: int, settings: dict[str, str | int]) -> Web:
        made = instance.traboule(self.services, processes=processes, threads=_THREADS, **{"proxies": 1, **settings})
        traboule = self._open.enter_context(made)
        return Web(int(traboule.base.rpartition(":")[2]), traboule.roots[0])

    def forget(self) -> None:
        """The next attack finds a quiet door."""
        with self.tables():
            for table in (LimitUse, TakenTurn, WaitingPlace):
                table.delete().execute()

    def person(self, **values: object) -> str:
        """The address of a new account with PASSWORD."""
        return self.people(1, **values)[0]

    def people(self, count: int, **values: object) -> list[str]:
        """The addresses of new accounts with PASSWORD."""
        hashed = hashing.hash_password(PASSWORD)
        names = [f"person{next(self._numbers)}" for _ in range(count)]
        with self.tables():
            for name in names:
                given = {"password": hashed, "recovery_asked": now(), **values}
                User.create(address=f"{name}@{DOMAIN}", local=name, domain=DOMAIN, name=name.capitalize(), **given)
        return [f"{name}@{DOMAIN}" for name in names]

    @contextmanager
    def tables(self) -> Iterator[None]:
        """Traboule's tables, as its programs see them."""
        with accounts.tables(self.services.database):
            yield

    @property
    def settings(self) -> Settings:
        """The settings of the instance, its secret among them: for what an attacker may not have."""
        values = {name.removeprefix("WEBMAIL_").lower(): value for name, value in self.services.settings().items()}
        return config.load(values.pop("instance"), **values)

    @property
    def database(self) -> Path:
        assert isinstance(self.services.database, Path)
        return self.services.database


def networks(count: int, seed: int = 1) -> list[str]:
    """Public addresses, always the same, each in a network of its own."""
    chance = random.Random(seed)
    found: set[str] = set()
    while len(found) < count:
        found.add(f"{chance.randint(20, 90)}.{chance.randint(0, 255)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}")
    return sorted(found)


def minutes_told(answer: Answer) -> int:
    """How many minutes an answer tells to wait."""
    return int(answer.headers.get("retry-after", "0")) // 60 or int((re.search(r"(\d+) minute", answer.text) or [0, 1])[1])


def with_app(ground: Ground) -> tuple[str, str]:
    """A new person with an app: their address, the app's secret."""
    return furnished(ground)[:2]


def furnished(ground: Ground) -> tuple[str, str, list[str]]:
    """A new person with an app and recovery codes: their address, the app's secret, the codes."""
    name, secret, settings = ground.person(recovery_address="alice@private.example"), authenticator.new_secret(), ground.settings
    with ground.tables():
        user = User.get(User.address == name)
        with second_step.changing(user):
            authenticator.add(user, "App", secret, 0, settings)
            codes = recovery_codes.make(user, settings)
    return name, secret, codes
