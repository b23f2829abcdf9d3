# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a task is told to end before it is done. Private to the collection.

A signal would end the process where it stands, with requests on their way and nothing said of them. Here it becomes an
exception of the main thread, after which nothing new is begun and what is under way is finished.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from typing import Any, Iterator, TextIO

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LISTENING_PAUSE = 200  # milliseconds


class Ended(BaseException):
    """The process was told to end."""


@contextlib.contextmanager
def by_signals() -> Iterator[None]:
    """Within this, signals that would end the process raise Ended; the second and all after it change nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    raised: list[int] = []

    def end(number: int, _frame: Any) -> None:
        if not raised:
            raised.append(number)
            raise Ended(signal.Signals(number).name)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def when_nobody_listens(output: TextIO) -> None:
    """End this process, as by a signal, when the other end of the pipe that it writes to is closed.

    Ansible leaves a module alone when its task's time is over: it would go on, and nobody would hear of what it made.
    """
    try:
        descriptor = output.fileno()
    except (OSError, ValueError):  # nothing that has another end
        return
    poll = select.poll()
    poll.register(descriptor, 0)

    def listen() -> None:
        while not poll.poll(_LISTENING_PAUSE):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    with contextlib.suppress(RuntimeError):  # a machine that gives no thread: the task is more than to hear of its end
        threading.Thread(target=listen, name="listening", daemon=True).start()
