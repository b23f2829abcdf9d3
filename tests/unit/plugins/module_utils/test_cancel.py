# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cancellation by signals, and a module that notices that its output is no longer read."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import TextIO

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils._cancel import Cancellation, cancel_on_signals
from ansible_collections.ctyun.eci.plugins.module_utils._errors import Cancelled
from ansible_collections.ctyun.eci.plugins.module_utils._module import exit_when_stdout_closes


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The end to read from, and the one to write to."""
    reading, writing = os.pipe()
    with open(writing, "w", encoding="utf-8") as output:
        yield reading, output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_sleep(number: signal.Signals) -> None:
    cancellation = Cancellation()
    began = time.monotonic()
    with cancel_on_signals(cancellation):
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        with pytest.raises(Cancelled, match=number.name):
            cancellation.sleep(60)
    assert time.monotonic() - began < 30
    assert cancellation.reason == number.name


def test_the_first_reason_stays_and_the_handlers_are_restored() -> None:
    cancellation, before = Cancellation(), signal.getsignal(signal.SIGTERM)
    with cancel_on_signals(cancellation):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
    assert cancellation.reason == "SIGTERM"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("is_set", [True, False])
def test_the_alarm_of_the_keyword_timeout(is_set: bool) -> None:
    cancellation = Cancellation()
    before = signal.signal(signal.SIGALRM, (lambda *_: pytest.fail("Ansible's alarm")) if is_set else signal.SIG_IGN)
    try:
        with cancel_on_signals(cancellation):
            os.kill(os.getpid(), signal.SIGALRM)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert cancellation.reason == ("SIGALRM" if is_set else None)
    if is_set:
        with pytest.raises(Cancelled, match=r"\(the keyword timeout\)"):
            cancellation.check()


def test_another_thread_than_the_main_one_sets_no_handlers() -> None:
    entered: list[bool] = []

    def enter() -> None:
        with cancel_on_signals(Cancellation()):
            entered.append(True)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [True]


def test_without_a_signal_nothing_is_cancelled() -> None:
    cancellation = Cancellation()
    cancellation.sleep(0.15)
    cancellation.check()


def test_a_reader_that_goes_away_cancels_the_task(pipe: tuple[int, TextIO]) -> None:
    reading, output = pipe
    cancellation = Cancellation()
    with cancel_on_signals(cancellation):
        exit_when_stdout_closes(output)
        os.close(reading)
        with pytest.raises(Cancelled, match="SIGTERM"):
            cancellation.sleep(20)


def test_a_machine_that_gives_no_thread_for_it(pipe: tuple[int, TextIO], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    exit_when_stdout_closes(pipe[1])
    os.close(pipe[0])
