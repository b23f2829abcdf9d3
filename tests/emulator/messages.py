# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 messages as bytes: where each begins and ends, and little more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http.client import responses
from typing import NamedTuple

# No message of a test is longer, and no loop here runs longer.
_MOST_PIECES = 1_000_000
_PIECE = 64 * 1024
_END = b"\r\n"


class Broken(Exception):
    """The other side left in the middle, or what it sends is no HTTP."""


class Stream(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, port: int) -> Stream:
        return cls(*await asyncio.open_connection("127.0.0.1", port))


class Head(NamedTuple):
    first: list[str]
    fields: list[tuple[str, str]]
    raw: bytes

    def get(self, name: str) -> str:
        return next((value.lower() for field, value in self.fields if field.lower() == name), "")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head, or None where the stream ends."""
    try:
        raw = await reader.readuntil(_END + _END)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Broken("the head is cut off") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise Broken("the head is too long") from error
    first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
    words = first.split(" ", 2)
    if len(words) < 2:
        raise Broken("no HTTP")
    pairs = [line.partition(":") for line in lines]
    return Head(words, [(name.strip(), value.strip()) for name, _colon, value in pairs], raw)


async def body(reader: asyncio.StreamReader, head: Head) -> AsyncIterator[bytes]:
    """The body as it is on the wire; without a length there is none."""
    try:
        if "chunked" in head.get("transfer-encoding"):
            async for piece in _chunks(reader):
                yield piece
        elif head.get("content-length"):
            async for piece in _counted(reader, int(head.get("content-length"))):
                yield piece
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Broken("the body is cut off, or its length is none") from error


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    for _number in range(_MOST_PIECES):
        line = await reader.readuntil(_END)
        yield line
        size = int(line.partition(b";")[0], 16)
        if not size:
            break
        yield await reader.readexactly(size + len(_END))
    for _number in range(_MOST_PIECES):
        line = await reader.readuntil(_END)
        yield line
        if line == _END:
            return


async def _counted(reader: asyncio.StreamReader, size: int) -> AsyncIterator[bytes]:
    for _number in range(_MOST_PIECES):
        if size <= 0:
            return
        data = await reader.read(min(size, _PIECE))
        if not data:
            raise Broken("the body is cut off")
        size -= len(data)
        yield data


def page(status: int, extra: str = "") -> bytes:
    """A whole reply that a proxy makes up by itself."""
    title = f"{status} {responses[status]}"
    content = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1>proxy</body></html>\n"
    return (
        f"HTTP/1.1 {title}\r\nContent-Type: text/html\r\nContent-Length: {len(content)}\r\n{extra}\r\n{content}"
    ).encode()
