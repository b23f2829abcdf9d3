# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several tests of the wire need."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from .servers import Authority, Place, Server, answering


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that answers well."""
    with answering() as server:
        yield server


@pytest.fixture
def tls(authority: Authority) -> Iterator[Server]:
    """The same over TLS."""
    with answering(context=authority.context()) as server:
        yield server


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> Iterator[Place]:
    with contextlib.ExitStack() as stack:
        yield Place(stack, monkeypatch, authority)
