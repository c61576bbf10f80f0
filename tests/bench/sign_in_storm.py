"""Sign-in storm: many people sign in at one instant; `python -m tests.bench.sign_in_storm [PEOPLE]` (60).

The pages of the demo behind nginx, with the settings of memory that its environment has (MALLOC_...). Measured: how long until all are in,
how they were answered, how long the page of somebody else took meanwhile, the most memory the process had above what it had
before, and what it keeps of that.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from deploy.demo.accounts import DOMAIN
from deploy.demo.services import HOST, Services
from tests.bench import machine
from tests.bench.visitor import Visitor, fields
from tests.support.passing_folder import passing_folder

MIB = 1024


def run(people: int) -> None:
    with passing_folder() as folder, Services(folder / "demo", jobs=False, front=True) as services:
        names = [f"person{number}@{DOMAIN}" for number in range(people)]
        for name in names:
            services.add_account(name)
        web = next(child.process.pid for child in services.children if child.name == "web")
        with machine.growth([web]) as cost:
            began = time.monotonic()
            answers, longest = _storm(services, names)
            seconds = time.monotonic() - began
            time.sleep(2)  # what is given back is given back by then
        told = ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()))
        print(f"{people} people in {seconds:.1f} s ({told}); another's page took {longest * 1000:.0f} ms at most")
        print(f"memory: {cost.peak // MIB} MiB more at the peak, {cost.kept // MIB} MiB kept")


def _storm(services: Services, names: list[str]) -> tuple[Counter[int], float]:
    """The statuses of all sign-ins, sent together, and the seconds of the slowest of another's pages meanwhile."""
    ready, over = threading.Barrier(len(names)), threading.Event()

    def sign_in(name: str) -> int:
        browser = Visitor(HOST, services.ports.web)
        form = fields(browser.get("/login").text) | {"username": name, "password": services.password}
        ready.wait()
        return browser.post("/login", form).status

    def look_on() -> float:
        browser, longest = Visitor(HOST, services.ports.web), 0.0
        while not over.wait(0.1):
            longest = max(longest, browser.get("/login").ms / 1000)
        return longest

    with ThreadPoolExecutor(len(names) + 1) as all_of_them:
        other = all_of_them.submit(look_on)
        answers = Counter(all_of_them.map(sign_in, names))
        over.set()
        return answers, other.result()


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
