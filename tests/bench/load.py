"""Several clients at once, each with its own connection and its own sign-in: requests a second, and how long each takes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.numbers import percentile

_REST = 0.05  # seconds after an answer that was none


@dataclass
class Load:
    seconds: float
    times: list[float] = field(default_factory=list)  # milliseconds
    refused: list[str] = field(default_factory=list)  # what came instead of an answer of 200
    asked: int = 0  # all requests, those of warming up too

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    def check(self, what: str) -> None:
        """Raises RuntimeError where some were not answered: the figures would be those of refusals."""
        if self.refused or not self.times:
            told = ", ".join(f"{count} times {one}" for one, count in Counter(self.refused).items()) or "no answer in time"
            raise RuntimeError(f"{what}: {told} beside {len(self.times)} answers")

    @property
    def p50(self) -> float:
        return percentile(self.times, 50)

    @property
    def p95(self) -> float:
        return percentile(self.times, 95)


def load(host: str, port: int, requests: Sequence[bytes], seconds: float) -> Load:
    """One client for each of `requests`, which it repeats for so long after a second of warming up."""
    return asyncio.run(_load(host, port, requests, seconds))


async def _load(host: str, port: int, requests: Sequence[bytes], seconds: float) -> Load:
    result = Load(seconds)
    start = time.perf_counter() + 1
    await asyncio.gather(*(_client(host, port, request, start, result) for request in requests))
    return result


async def _client(host: str, port: int, request: bytes, start: float, result: Load) -> None:
    reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
    end = start + result.seconds
    while (before := time.perf_counter()) < end:
        writer.write(request)
        try:
            told = await _answer(reader)
        except (asyncio.IncompleteReadError, ConnectionError):
            told = "an answer that broke off"
        after = time.perf_counter()
        result.asked += 1
        if told != "200":
            result.refused.append(told)
        elif before >= start and after <= end:
            result.times.append((after - before) * 1000)
        if told == "200":
            continue
        writer.close()  # whoever is busy may hang up
        await asyncio.sleep(_REST)
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> str:
    """Read one answer to its end; returns its status. Raises IncompleteReadError where the server hangs up before."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if (place := head.find(b"content-length:")) >= 0:
        await reader.readexactly(int(head[place + 15 : head.index(b"\r\n", place)]))
    elif b"transfer-encoding:" not in head:
        await reader.read()  # to the end of the connection: RFC 9112 section 6.3
    else:
        while size := int((await reader.readuntil(b"\n")), 16):  # chunked: RFC 9112 section 7.1
            await reader.readexactly(size + 2)
        await reader.readuntil(b"\n")
    return head[9:12].decode()
