"""Several clients at once, each with its own connection and its own sign-in: requests a second, and how long each takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.numbers import percentile


@dataclass
class Load:
    seconds: float
    times: list[float] = field(default_factory=list)  # milliseconds
    refused: int = 0  # answers other than 200

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

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
        status = await _answer(reader)
        after = time.perf_counter()
        if before >= start and after <= end:
            result.times.append((after - before) * 1000)
            result.refused += status != 200
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end; returns its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if (place := head.find(b"content-length:")) >= 0:
        await reader.readexactly(int(head[place + 15 : head.index(b"\r\n", place)]))
    else:
        while size := int(await reader.readline(), 16):  # chunked: RFC 9112 section 7.1
            await reader.readexactly(size + 2)
        await reader.readline()
    return int(head[9:12])
