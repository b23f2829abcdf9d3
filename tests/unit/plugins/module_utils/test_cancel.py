# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module hears that nobody waits for it any more."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._cancel import Ended, by_signals, when_nobody_listens


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The end to read from, and the one to write to."""
    reading, writing = os.pipe()
    with open(writing, "w", encoding="utf-8") as output:
        yield reading, output


def test_a_reader_that_goes_away_ends_the_task(pipe: tuple[int, TextIO]) -> None:
    reading, output = pipe

    def wait() -> None:
        with by_signals():
            when_nobody_listens(output)
            os.close(reading)
            threading.Event().wait(20)

    with pytest.raises(Ended, match="SIGTERM"):
        wait()


def test_a_machine_that_gives_no_thread_for_it(pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    when_nobody_listens(pipe[1])
    os.close(pipe[0])


def test_a_second_signal_changes_nothing() -> None:
    ended: list[str] = []
    with by_signals():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except Ended as error:
            ended.append(str(error))
            os.kill(os.getpid(), signal.SIGINT)
    assert ended == ["SIGTERM"]
