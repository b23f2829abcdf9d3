# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret that is short is part of many words by chance: those stay whole, and the secret is hidden all the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from tests.emulator import Emulator, Fault
from tests.unit.plugins.emulated import BODY, seed

from .conftest import Run, Task

IDENTIFIER = re.compile("imc-[a-z0-9]{16}")


@pytest.mark.parametrize("password", ["1", "eci", "imc", "web"])
def test_a_short_password(password: str, both: Callable[..., Run], emulator: Emulator) -> None:
    body = {**BODY, "image_registry_credentials": [{"server": "r.example", "user_name": "u", "password": password}]}

    def prepare() -> None:
        seed(emulator, "old", imageCacheSize=11)
        # the first create is good
        message = f"cannot log in with '{password}'. (x{password}y)"
        emulator.inject(Fault("status", "createImageCache", status=422, reason="Invalid", message=message, skip=1))

    def task(name: str, **changes: object) -> Task:
        arguments = {**body, **changes}
        arguments["imageCacheName"] = name
        return {"name": name, "ctyun.eci.image_cache": arguments}

    done = both([task("made"), task("old"), task("refused")], prepare=prepare)
    made, old, refused = (done.results[name] for name in ("made", "old", "refused"))

    made.pop("invocation", None)
    assert "****" not in json.dumps(made)
    assert IDENTIFIER.fullmatch(made["image_cache_id"])
    assert made["image_cache"]["image_cache_id"] == made["ansible_facts"]["imageCacheId"] == made["image_cache_id"]
    assert made["image_cache"]["images"] == BODY["images"]

    (warning,) = old["warnings"]
    assert warning.startswith(f"The image cache {old['image_cache_id']} differs from the task in image_cache_size, and")
    assert warning in " ".join(done.stderr.split())

    assert refused["failure"]["message"] == f"cannot log in with '********'. (x{password}y)"
    assert refused["failure"]["code"] == "ECI.Openapi.StatusReasonInvalid"
    assert re.fullmatch("[0-9a-f-]{32,36}", refused["failure"]["request_id"])
    assert refused["msg"].startswith("createImageCache failed: cannot log in with '********'")
    assert f"'{password}'" not in json.dumps(refused).replace("(x", "")
