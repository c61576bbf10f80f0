"""How the demo starts, fails and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.demo import accounts, child, nginx
from deploy.demo.child import ServiceFailedError, free_ports
from deploy.demo.place import mail_owner
from deploy.demo.services import CHECKOUT, Services
from tests.support.http_visits import HttpVisitor
from tests.support.waiting import eventually
from webmail import models
from webmail.auth.passwords import hashing
from webmail.config import settings
from webmail.config.tables import TABLES


def run_demo(base: Path) -> subprocess.Popen[str]:
    """`python -m deploy.demo run` without web and mail, once it says that it is ready."""
    command = [sys.executable, "-m", "deploy.demo", "run", "--no-web", "--no-mail", "--base", str(base)]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    for line in process.stdout:
        if "Ctrl-C" in line:
            break
    return process


def pids(base: Path) -> list[int]:
    """All processes that work in the demo's folder, those that its services started included."""
    services = [service["pid"] for service in json.loads((base / "services.json").read_text())["services"]]
    folder = str(base.resolve())
    others = [int(file.parent.name) for file in Path("/proc").glob("[0-9]*/cwd") if _link(file).startswith(folder)]
    return list({*services, *others})


def _link(file: Path) -> str:
    try:
        return os.readlink(file)
    except OSError:  # ended meanwhile
        return ""


def all_end(processes: list[int]) -> bool:
    return eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes), what=f"{processes} end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(demo_folder, number):
    process = run_demo(demo_folder)
    running = pids(demo_folder)
    process.send_signal(number)
    assert process.wait(30) == 0
    assert all_end(running)
    assert not (demo_folder / "services.json").exists()


def test_nothing_survives_a_starter_that_is_killed(demo_folder):
    process = run_demo(demo_folder)
    running = pids(demo_folder)
    process.kill()
    process.wait(30)
    assert all_end(running)


def test_a_crash_ends_the_run_and_names_the_log(demo_folder):
    process = run_demo(demo_folder)
    running = pids(demo_folder)
    killed = json.loads((demo_folder / "services.json").read_text())["services"][1]
    os.kill(killed["pid"], signal.SIGKILL)
    words, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"{killed['name']} was killed by SIGKILL" in words
    assert f"{killed['name']}.log" in words
    assert "Traceback" not in words
    assert all_end(running)


def test_reset_stops_a_running_demo_and_removes_its_files(demo_folder):
    process = run_demo(demo_folder)
    running, real = pids(demo_folder), demo_folder.resolve()
    command = [sys.executable, "-m", "deploy.demo", "reset", "--base", str(demo_folder)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    process.wait(30)
    assert all_end(running)
    assert not real.exists()
    assert not demo_folder.is_symlink()


def test_a_second_demo_in_the_same_folder_is_refused_and_the_first_goes_on(demo_folder):
    with Services(demo_folder, web=False) as first:
        with pytest.raises(ServiceFailedError, match="already.*throws its mail away"), Services(demo_folder, web=False):
            pass
        assert not any(child.ended for child in first.children)
        assert (first.base / "services.json").exists()


def test_the_administrators_commands_work_beside_it(demo_folder):
    with Services(demo_folder, web=False) as services:
        environment = {**os.environ, "WEBMAIL_INSTANCE": str(demo_folder / "web")}

        def flask(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
            return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)

        examined = flask("doctor", "--as", "alice@lycee.example")
        problems = [line for line in examined.stdout.splitlines() if line.startswith("problem")]
        assert len(problems) == 1 and "nothing answers at http://localhost" in problems[0]
        assert f"127.0.0.1 port {services.ports.imap} answers" in examined.stdout
        # no pages, no worker and no milter run here, nobody makes backups, and the server that phones are told is made up
        expected = ("Cookies", "Mail that arrives", "Worker", "Devices", "Forwarding", "Automatic replies", "Backup")
        well = ("ok ", "problem  Public address", "1 problem", *(f"warning  {name}" for name in expected))
        assert [line for line in examined.stdout.splitlines() if not line.startswith(well)] == []
        assert "alice@lycee.example\tactive\tperson\t1G\tAlice Leroy" in flask("accounts", "list").stdout


def test_the_file_of_settings_says_what_the_environment_does(demo_folder, monkeypatch):
    with Services(demo_folder, web=False) as services:
        from_file = settings.load(services.base / "web")
        for name, value in services.settings().items():
            monkeypatch.setenv(name, value)
        (services.base / "web" / "config.toml").unlink()
        tables = {name: getattr(from_file, name) for name in TABLES}  # which no environment can hold
        assert replace(settings.load(services.base / "web"), **tables) == from_file


def test_another_password_is_given_to_the_people_who_are_there(tmp_path):
    file, owner = tmp_path / "db.sqlite", mail_owner()
    accounts.prepare(file, owner, "demo")

    def stored() -> list[str]:
        with accounts.tables(file):
            return [user.password for user in models.User.select()]

    before = stored()
    accounts.prepare(file, owner, "demo")
    assert stored() == before
    accounts.prepare(file, owner, "another")
    assert [hashing.verify(each, "another") for each in stored()] == [True] * len((*accounts.PEOPLE, accounts.SYSTEM))


def test_an_empty_password_is_the_usual_one(monkeypatch):
    monkeypatch.setenv("DEMO_PASSWORD", "")
    assert accounts.demo_password() == "demo"


def test_a_taken_port_is_said_plainly(demo_folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceFailedError, match=rf"Port {port} \(web\) is taken.*PORT=\d+ make run"):
            Services(demo_folder, ports={"web": port}).__enter__()


def test_picked_ports_differ_and_are_below_those_of_outgoing_connections():
    ports = free_ports(6, taken=[21_000])
    assert len(set(ports)) == 6
    assert max(ports) < 32_768


def test_a_port_that_another_process_picked_is_not_picked_too(monkeypatch):
    """Its server may not listen yet."""
    monkeypatch.setattr(child, "PORTS", range(20_990, 20_993))
    words = "from deploy.demo import child; child.PORTS = range(20_990, 20_993); print(*child.free_ports(2), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        theirs = other.stdout.readline().split()
        assert [str(port) for port in free_ports(1)] == sorted({"20990", "20991", "20992"} - set(theirs))


@pytest.mark.skipif(nginx.program() is None, reason="the package nginx is not installed")
def test_nginx_stands_before_both_services_and_ends_with_them(demo_folder):
    with Services(demo_folder, jobs=False, front=True) as services:
        alice = HttpVisitor(services.address, "", accounts.ALICE.address, services.password).sign_in()
        assert alice.get("/").address.startswith("/mailbox/INBOX")
        told = [alice.http.request(*one).headers["X-Traboule-Service"] for one in (("GET", "/healthz"), ("OPTIONS", "/dav/"))]
        assert told == ["pages", "bodies"]
        running = pids(demo_folder)
    assert all_end(running)
