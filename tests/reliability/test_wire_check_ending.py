# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wire check that is told to end while its image cache is there deletes it before it ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.emulator import Emulator
from tests.reliability.playbook import BODY, LIMIT, Playbook, descendants, kill, until
from tests.reliability.test_ending import module_process

CREATE, DELETE, LIST = "createImageCache", "deleteImageCache", "describeImageCaches"


@pytest.mark.parametrize(
    ("phase", "how", "in_process"),
    [
        ("ordering", "SIGTERM", True),
        ("ordering", "module", False),
        ("waiting", "SIGINT", True),
        ("waiting", "timeout", True),
        ("waiting", "SIGINT", False),
        ("waiting", "timeout", False),
    ],
)
def test_it_deletes_what_it_made(emulator: Emulator, tmp_path: Path, phase: str, how: str, in_process: bool) -> None:
    emulator.settings.update({"ready_after": 1000.0, "latency": 0.5 if phase == "ordering" else 0.0})
    place = {name: value for name, value in BODY.items() if name != "image_cache_size"}
    task = {"ctyun.eci.wire_check": {"create": True, "wait_interval": 0.1, **place}, "ignore_errors": True}
    if how == "timeout":
        task["timeout"] = 8
    playbook = Playbook(tmp_path, emulator.environment, [task], 1, {"ctyun_eci_in_process": in_process})
    process = playbook.start()
    own: set[int] = set()
    try:
        assert until(lambda: len(emulator.sent(CREATE)) > 0 or process.poll() is not None)
        if phase == "waiting":
            assert until(lambda: len(emulator.sent(LIST)) > 30)
        own.update(descendants(process))
        if how == "module":
            os.kill(module_process(process) or 0, signal.SIGTERM)
        elif how != "timeout":
            process.send_signal(getattr(signal, how))
        process.wait(LIMIT)
        assert until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in own), 30)
    finally:
        kill(process, descendants(process))
        print(playbook.output)
    assert len(emulator.sent(CREATE)) == 1
    assert len(emulator.sent(DELETE)) >= 1
    assert emulator.service.caches() == []
    if how == "module" or (how == "timeout" and in_process):
        assert "deleted again" in " ".join(playbook.output.split())
