# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes the arguments of a task, does nothing, and returns what the task once returned: what Ansible itself costs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Reads the result from the folder that BENCHMARK_RESULTS names, see ``tests.benchmark.cases``."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        name = f"{len(self._task.args['image_caches'])}.json" if "image_caches" in self._task.args else "one.json"
        return {**result, **json.loads(Path(os.environ["BENCHMARK_RESULTS"], name).read_text())}
