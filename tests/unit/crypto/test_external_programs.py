"""Programs that encrypt: bounded in time, memory and bytes, each person with one place; nothing secret where others read it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.waiting import eventually
from webmail.crypto import external_programs
from webmail.crypto.errors import (
    CryptoBusyError,
    CryptoFailedError,
    CryptoMissingError,
    CryptoTimeoutError,
    CryptoTooLargeError,
)
from webmail.crypto.external_programs import InputPipe, OutputPipe, run

SECRET = b"tourterelle-4711"
Program = Callable[[str], str]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Makes a program of these lines of shell, which `run` finds by its name."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def made(lines: str) -> str:
        path = tmp_path / f"program{len(list(tmp_path.iterdir()))}"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return path.name

    return made


def test_what_goes_in_and_comes_out_may_be_much_larger_than_a_pipe(program: Program) -> None:
    data, more = os.urandom(3 * 2**20), os.urandom(2 * 2**20)
    name = program('cat "$1" >"$2" & cat; wait; echo said >&2')
    finished = run(name, [InputPipe(more), OutputPipe()], data, owner=1)
    assert (finished.status, finished.output, finished.outputs, finished.text) == (0, data, (more,), "said")


def test_of_a_program_that_does_not_end_well_no_byte_is_used(program: Program) -> None:
    name = program('echo content; echo more >"$1"; exit 4')
    finished = run(name, [OutputPipe()], owner=1)
    assert (finished.status, finished.output, finished.outputs) == (4, b"", (b"",))


def test_a_program_that_hangs_is_ended_and_its_place_is_free(program: Program) -> None:
    began = time.monotonic()
    for lines in ("exec sleep 60", "exec >&- 2>&-; exec sleep 60"):
        with pytest.raises(CryptoTimeoutError):
            run(program(lines), [], b"x" * 2**20, owner=1, seconds=0.3)
    assert time.monotonic() - began < 5
    assert run(program("cat"), [], b"x", owner=1).output == b"x"
    assert external_programs.OPERATIONS.held() == 0


def test_what_unpacks_without_end_is_stopped(program: Program) -> None:
    with pytest.raises(CryptoTooLargeError):
        run(program("exec cat /dev/zero"), [], owner=1, most=2**20)
    with pytest.raises(CryptoTooLargeError):
        run(program('exec cat /dev/zero >"$1"'), [OutputPipe()], owner=1, most=2**20)
    finished = run(program("head -c 10000000 /dev/zero >&2"), [], owner=1)
    assert finished.status == 0 and len(finished.text) <= 2**14
    assert external_programs.OPERATIONS.held() == 0


def test_a_program_that_is_killed_has_no_result(program: Program) -> None:
    with pytest.raises(CryptoFailedError, match="signal 9"):
        run(program("echo content; kill -9 $$"), [], owner=1)
    assert external_programs.OPERATIONS.held() == 0


def test_too_much_is_refused_before_anything_runs(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_programs, "MOST", 100)
    with pytest.raises(CryptoTooLargeError):
        run(program("cat"), [InputPipe(b"x" * 60)], b"x" * 60, owner=1)


def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(CryptoMissingError):
        run("no-such-program", [], owner=1)


def test_memory_has_a_bound_and_no_dump_of_it_is_written(program: Program) -> None:
    name = program("read line; ulimit -v; ulimit -c; ulimit -f; exec nice")
    memory, core, size, nice = run(name, [], b"go\n", owner=1).output.split()
    assert (int(memory), core, size) == (external_programs.MEMORY // 1024, b"0", b"0")
    assert int(nice) >= external_programs.NICE


def test_a_service_that_steps_back_further_is_no_obstacle(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only root may make a program less nice than it is: that of the second web service begins at 10."""
    given: list[int] = []
    monkeypatch.setattr(external_programs.os, "getpriority", lambda _kind, _number: external_programs.NICE + 5)
    monkeypatch.setattr(external_programs.os, "setpriority", lambda _kind, _number, value: given.append(value))
    assert run(program("cat"), [], b"text", owner=1).output == b"text"
    assert given == [external_programs.NICE + 5]


def test_nothing_secret_is_in_arguments_environment_or_files_while_it_runs(program: Program) -> None:
    name = program('exec 2>&1; read line; echo "$$"; cat "$1" >/dev/null; exec sleep 60')
    caught: list[BaseException] = []

    def running() -> None:
        try:
            run(name, [InputPipe(SECRET)], b"line\n" + SECRET, owner=1, seconds=20)
        except CryptoFailedError as error:
            caught.append(error)

    thread = threading.Thread(target=running)
    thread.start()
    number = eventually(lambda: _child_named("sleep"))
    folder = Path(f"/proc/{number}")
    told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
    files = [os.readlink(each) for each in (folder / "fd").iterdir()]
    os.kill(number, signal.SIGKILL)
    thread.join()
    assert caught and SECRET not in told
    assert files and all(each.startswith("pipe:") for each in files if name not in each)


def _child_named(name: str) -> int:
    """The process of that name below this one; 0 where there is none yet."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent, command = (folder / "stat").read_text().split()[3], (folder / "comm").read_text().strip()
        except (OSError, IndexError):
            continue
        if parent == str(os.getpid()) and command == name:
            return int(folder.name)
    return 0


def test_a_hundred_requests_of_one_person_keep_no_place_from_another(program: Program) -> None:
    name = program("exec sleep 0.2")
    refused: list[bool] = []

    def of_one_person() -> None:
        try:
            run(name, [], owner="greedy")
        except CryptoBusyError as error:
            refused.append(error.own)

    threads = [threading.Thread(target=of_one_person) for _number in range(100)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(refused) >= 90)
    began = time.monotonic()
    assert run(program("cat"), [], b"x", owner="other").output == b"x"
    assert time.monotonic() - began < 0.2 * 4
    for thread in threads:
        thread.join()
    assert len(refused) == 96 and all(refused)  # one runs, three wait
