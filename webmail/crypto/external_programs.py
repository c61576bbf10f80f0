"""External programs: the one way that `sqop` and `openssl` are run.

What is secret goes through pipes: the argument list, the environment and the disk hold none of it. Each run is bounded in time,
memory, and in what goes in and comes out. Whoever wants to run one waits for a place, and nobody has them all. A program that
does not end well has no output: some write what they could read before they notice that it was tampered with.
"""

from __future__ import annotations

import os
import resource
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from webmail.admission import Admission, AdmissionRefusedError
from webmail.crypto import owner_locks
from webmail.crypto.errors import (
    CryptoBusyError,
    CryptoFailedError,
    CryptoMissingError,
    CryptoTimeoutError,
    CryptoTooLargeError,
)

MOST = 64 * 2**20  # bytes that go in, or come out
SECONDS = 30.0  # that a run lasts at most, with the wait for its place; looking at a page has less (deploy/nginx.conf)
MEMORY = 768 * 2**20  # bytes of address space; 64 MB of message take about half
NICE = 5  # pages come first
OPERATIONS = Admission(2, of_one=1, waiting=8, waiting_of_one=3, patience=8.0)  # of this process: each takes a processor
PEOPLE = Admission(of_one=1, waiting=32, waiting_of_one=3, patience=8.0)  # of this process, before a place is taken from others
_PIECE = 2**16
_ERROR_TEXT = 2**14  # bytes of what it says


@dataclass(frozen=True, slots=True)
class InputPipe:
    """A pipe that the program reads `data` from; `name` is how the program is told of it."""

    data: bytes = field(repr=False)
    name: str = "/dev/fd/{}"


@dataclass(frozen=True, slots=True)
class OutputPipe:
    """A pipe that the program writes to, besides its standard output; `name` is how the program is told of it."""

    name: str = "/dev/fd/{}"


Arguments = Sequence[str | InputPipe | OutputPipe]


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run that ended by itself: its exit status, what it wrote (of a status that isn't 0: nothing), what it said."""

    status: int
    output: bytes = field(repr=False)
    outputs: tuple[bytes, ...] = field(repr=False)  # of the output pipes, in their order
    text: str  # what it wrote to its standard error


def is_installed(program: str) -> bool:
    return shutil.which(program) is not None


def run(
    program: str, arguments: Arguments, data: bytes = b"", *, owner: object,
    most: int = MOST, seconds: float = SECONDS,
) -> FinishedRun:  # fmt: skip
    """`program`, with `data` on its standard input. `owner` is whoever it is for: one person has one place.

    `most`: bytes that may come out of each pipe. `seconds`: for the wait and the run.

    Raises CryptoMissingError, CryptoBusyError, CryptoTimeoutError, CryptoTooLargeError, and CryptoFailedError where a signal
    ended it.
    """
    path = shutil.which(program)
    if path is None:
        raise CryptoMissingError(f"{program} is not installed")
    if len(data) + sum(len(each.data) for each in arguments if isinstance(each, InputPipe)) > MOST:
        raise CryptoTooLargeError(f"more than {MOST} bytes for {program}")
    deadline = time.monotonic() + seconds
    try:
        with _admitted(owner, min(OPERATIONS.patience, seconds / 2)):
            return _ProgramRun(path, arguments, data, most, deadline).finish()
    except AdmissionRefusedError as error:
        raise CryptoBusyError(f"no place for {program}: {error}", own=error.own) from error


@contextmanager
def _admitted(owner: object, patience: float) -> Iterator[None]:
    """Wait for one's own runs first, here and in other processes, then for a place among all: nobody who waits has one."""
    end = time.monotonic() + patience
    with ExitStack() as held:
        held.enter_context(PEOPLE.admit(owner, patience=patience))
        for lock in owner_locks:  # one at a time in all processes; raises CryptoBusyError once the patience is over
            held.enter_context(lock(owner, max(0.0, end - time.monotonic())))
        held.enter_context(OPERATIONS.admit(owner, patience=max(0.0, end - time.monotonic())))
        yield


class _ProgramRun:
    """A program that runs, and its pipes. All are fed and emptied together: whatever it waits for, it gets."""

    def __init__(self, path: str, arguments: Arguments, data: bytes, most: int, deadline: float) -> None:
        self.name, self.most, self.deadline = os.path.basename(path), most, deadline
        self.selector = selectors.DefaultSelector()
        self.unsent: dict[int, memoryview] = {}
        self.received: dict[int, bytearray] = {}  # in the order of the pipes
        theirs: list[int] = []
        try:
            command = [path, *(self._argument(each, theirs) for each in arguments)]
            self.program = subprocess.Popen(
                command, stdin=self._to_program(data, theirs), stdout=self._from_program(theirs),
                stderr=self._from_program(theirs), pass_fds=theirs[:-3], cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TZ": "UTC"},
            )  # fmt: skip
        except OSError as error:
            self._close_pipes()
            raise CryptoFailedError(f"{self.name} could not be started: {error}") from error
        finally:
            for number in theirs:
                os.close(number)

    def finish(self) -> FinishedRun:
        try:
            self._bound()
            self._exchange()
            status = self.program.wait(max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise CryptoTimeoutError(f"{self.name} did not end") from error
        finally:
            if self.program.returncode is None:
                self.program.kill()
                self.program.wait()
            self._close_pipes()
        *outputs, output, text = (bytes(received) for received in self.received.values())
        if status < 0:
            raise CryptoFailedError(f"{self.name} was ended by signal {-status}")
        if status:
            output, outputs = b"", [b"" for _each in outputs]
        return FinishedRun(status, output, tuple(outputs), text.decode("utf-8", "replace").strip())

    def _bound(self) -> None:
        """Before it gets a byte of what it works on. Without a core dump: that would hold the keys."""
        number = self.program.pid
        try:
            resource.prlimit(number, resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.prlimit(number, resource.RLIMIT_CORE, (0, 0))
            resource.prlimit(number, resource.RLIMIT_FSIZE, (0, 0))
            seconds = max(1, int(self.deadline - time.monotonic()) + 1)
            resource.prlimit(number, resource.RLIMIT_CPU, (seconds, seconds))
            # of a service that steps back further itself (traboule-bodies.service), nobody but root could make it less
            os.setpriority(os.PRIO_PROCESS, number, max(NICE, os.getpriority(os.PRIO_PROCESS, number)))
        except ProcessLookupError:
            return  # it has ended already, and its status says how

    def _exchange(self) -> None:
        while self.selector.get_map():
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise CryptoTimeoutError(f"{self.name} took too long")
            for key, _events in self.selector.select(left):
                if key.fd in self.unsent:
                    self._send(key.fd)
                else:
                    self._receive(key.fd)

    def _send(self, number: int) -> None:
        unsent = self.unsent[number]
        try:
            sent = os.write(number, unsent[:_PIECE]) if unsent else 0
        except BrokenPipeError:  # it wants no more: its status says whether that was well
            sent = len(unsent)
        self.unsent[number] = unsent[sent:]
        if not self.unsent[number]:
            self._close(number)

    def _receive(self, number: int) -> None:
        piece = os.read(number, _PIECE)
        received = self.received[number]
        if not piece:
            self._close(number)
        elif number == self.text_pipe:
            received += piece[: _ERROR_TEXT - len(received)]
        elif len(received) + len(piece) > self.most:
            raise CryptoTooLargeError(f"{self.name} gives more than {self.most} bytes")
        else:
            received += piece

    def _argument(self, argument: str | InputPipe | OutputPipe, theirs: list[int]) -> str:
        if isinstance(argument, InputPipe):
            return argument.name.format(self._to_program(argument.data, theirs))
        if isinstance(argument, OutputPipe):
            return argument.name.format(self._from_program(theirs))
        return argument

    def _to_program(self, data: bytes, theirs: list[int]) -> int:
        """The program's end of a new pipe, which it reads `data` from."""
        reading, writing = os.pipe()
        theirs.append(reading)
        self.unsent[writing] = memoryview(data)
        self._watch(writing, selectors.EVENT_WRITE)
        return reading

    def _from_program(self, theirs: list[int]) -> int:
        """The program's end of a new pipe, which it writes to. The last one made is what it says."""
        reading, writing = os.pipe()
        theirs.append(writing)
        self.received[reading] = bytearray()
        self.text_pipe = reading
        self._watch(reading, selectors.EVENT_READ)
        return writing

    def _watch(self, number: int, events: int) -> None:
        os.set_blocking(number, False)
        self.selector.register(number, events)

    def _close(self, number: int) -> None:
        self.selector.unregister(number)
        os.close(number)

    def _close_pipes(self) -> None:
        for key in list(self.selector.get_map().values()):
            self._close(key.fd)
        self.selector.close()
