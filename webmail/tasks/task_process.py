"""Task process: long work runs beside the worker in a process of its own, at low priority, so that it never delays a message.

The worker forks a supervisor before it has any threads; the supervisor forks the process that works, and forks it again if it
dies. A pipe wakes it, and ends it: when the worker stops, however it does, the pipe closes and running tasks stop at their next
step. A worker with threads can't fork another supervisor: where this one dies, the worker begins again as a whole.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from webmail.database.connection import db
from webmail.tasks.runner import TaskRunner

log = logging.getLogger(__name__)

_NICE = 5
_RESTART_SECONDS = 1.0
_STOP_SECONDS = 15.0


class TaskProcess:
    """`start` it before the first thread of the worker, `wake` it when a task was put in the queue, `stop` it at the end."""

    def __init__(self, runner: Callable[[], TaskRunner]) -> None:
        self._runner = runner
        self._pipe = -1
        self._supervisor = 0

    def start(self) -> None:
        """Fork. The thread's database connection is closed first: no two processes may share one."""
        if not db.is_closed():
            db.close()
        gc.freeze()  # else each process that is forked gets a copy of it all for its own, when its collector looks through it
        reading, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        self._supervisor = os.fork()
        if self._supervisor == 0:
            os.close(self._pipe)
            _supervise(self._runner, reading)
        os.close(reading)

    def wake(self) -> None:
        with suppress(OSError):  # full: it is awake; closed: it is being restarted, and looks for work then
            os.write(self._pipe, b"w")

    def watch(self) -> None:
        """End this worker in good order if the supervisor has ended by itself: nobody would do tasks. For one thread."""
        listening = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL  # the job queue does so a moment after the first look
        if listening and self._supervisor and os.waitpid(self._supervisor, os.WNOHANG)[0]:
            self._supervisor = 0
            log.error("the task process was killed: the worker starts again")
            os.kill(os.getpid(), signal.SIGTERM)

    def begin_again_if_broken(self) -> None:
        """Become a new worker, after `stop`, if that is why this one ends."""
        if not self._supervisor:
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])

    def stop(self) -> None:
        os.close(self._pipe)
        if not self._supervisor:
            return
        end = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < end:
            if os.waitpid(self._supervisor, os.WNOHANG)[0]:
                return
            time.sleep(0.05)
        log.warning("the task process does not stop in time: its tasks go on elsewhere once their leases have expired")
        os.kill(self._supervisor, signal.SIGKILL)
        os.waitpid(self._supervisor, 0)


def _supervise(runner: Callable[[], TaskRunner], reading: int) -> None:
    """Keep a working process alive until the pipe is closed. Never returns."""
    for number in (signal.SIGTERM, signal.SIGINT):  # they are the worker's; this ends with the pipe
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):
        os.nice(_NICE)
    while True:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                _serve(runner(), reading)
                code = 0
            except BaseException:
                log.exception("the task process broke")
            os._exit(code)
        _pid, status = os.waitpid(child, 0)
        if status == 0:
            os._exit(0)
        log.error("the task process died (status %d) and is started again", status)
        time.sleep(_RESTART_SECONDS)


def _serve(runner: TaskRunner, reading: int) -> None:
    runner.start()
    while os.read(reading, 4096):
        runner.wake()
    runner.stop(_STOP_SECONDS - 3)
