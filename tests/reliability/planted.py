# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A pytest plugin: the session fails if a planted secret stands in anything that a test printed or failed with.

Whatever secret a test makes up has to contain MARK, and whatever the test starts has to print to stdout or stderr,
which pytest captures. The root conftest.py loads this with ``pytest_plugins = ["tests.reliability.planted"]``; one
run can be checked with ``-p tests.reliability.planted``. A test that prints a secret on purpose is marked with
``@pytest.mark.prints_secrets``.
"""

from __future__ import annotations

import pytest

MARK = "planted-secret"

_leaks: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Begin with no leak."""
    config.addinivalue_line("markers", "prints_secrets: the test prints a planted secret on purpose")
    leaks: list[str] = []
    config.stash[_leaks] = leaks
    config.pluginmanager.register(_Watch(leaks), "planted-secrets")


class _Watch:
    def __init__(self, leaks: list[str]) -> None:
        self.leaks = leaks

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look through what a test printed, logged and failed with."""
        if "prints_secrets" in report.keywords:
            return
        texts = [(f"{name} ({report.when})", text) for name, text in report.sections]
        if report.failed:
            texts.append(("the traceback", report.longreprtext))
        self.leaks += [f"{report.nodeid}: {place}" for place, text in texts if MARK in text]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where."""
    leaks: list[str] = config.stash[_leaks]
    for leak in dict.fromkeys(leaks):
        terminalreporter.write_line(f"PLANTED SECRET SHOWN: {leak}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail."""
    if session.config.stash[_leaks] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
