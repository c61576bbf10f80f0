"""`make soak TESTS="tests/unit/imap ..." TIMES=20`: tests that wait, run again and again while all processors are busy.

Prints a line for each round and what failed in it; ends with 1 when anything did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack

BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"


def main(times: int, tests: list[str]) -> int:
    failed = 0
    with ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            busy = subprocess.Popen([sys.executable, "-c", BUSY])
            stack.callback(busy.wait)
            stack.callback(busy.kill)
        for number in range(1, times + 1):
            began = time.monotonic()
            command = [sys.executable, "-m", "pytest", "--no-header", "-rfE", *tests]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            lines = done.stdout.rstrip().splitlines() or [done.stderr]
            print(f"{number}/{times}, {time.monotonic() - began:.0f} s: {lines[-1]}", flush=True)
            if done.returncode:
                failed += 1
                print(done.stdout + done.stderr, flush=True)
    print(f"{failed} of {times} rounds failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
