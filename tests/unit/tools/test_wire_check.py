# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tools/wire_check observes the habits of a service, and deletes what it created, and nothing else, whatever happens."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.ctyun.eci.plugins.module_utils import _errors as errors
from ansible_collections.ctyun.eci.plugins.module_utils._api.client import Client
from ansible_collections.ctyun.eci.plugins.module_utils._api.config import Connection
from ansible_collections.ctyun.eci.plugins.module_utils._api.transport import Transport
from ansible_collections.ctyun.eci.plugins.module_utils._image_cache.api import ImageCachesApi
from ansible_collections.ctyun.eci.plugins.module_utils._polling import Clock, Wait
from tests.emulator import Emulator, Fault
from tests.emulator.like import like
from tests.emulator.settings import Settings
from tests.unit.plugins.emulated import BODY, CREATE, DELETE, LIST, UPDATE
from tools.wire_check import observe
from tools.wire_check.__main__ import main, report
from tools.wire_check.observe import OwnImageCache, Probe

ROOT = Path(__file__).resolve().parents[3]
PLACE = {key: value for key, value in {**BODY, "imageCacheSize": 10}.items() if key != "imageCacheName"}
FLAGS = ["--create", *("--vpc", "vpc-test"), *("--subnet", "subnet-test"), *("--security-group", "sg-test")]
FLAGS += [*("--zone", "az1"), *("--image", "nginx:latest")]
NAME = re.compile("wire-check-[0-9a-f]{32}")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CTYUN_", "CTAPI_")) or name.lower().endswith(("_proxy", "_ca_bundle")):
            monkeypatch.delenv(name)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A service with two image caches of somebody."""
    with Emulator(ready_after=0, access_key="planted-secret-ak", secret_key="planted-secret-sk") as emulator:
        seed(emulator)
        yield emulator


def seed(emulator: Emulator) -> None:
    for cache in emulator.service.caches():
        emulator.service.remove(cache["imageCacheId"])
    emulator.service.seed("Older", ["planted.example/a:1"], age=5000.0)
    emulator.service.seed("Newer", ["planted.example/b:1"], age=3000.0)


def left(emulator: Emulator) -> list[dict[str, Any]]:
    """What is there of the check. All of somebody else has to be there."""
    others = [cache for cache in emulator.service.caches() if not NAME.fullmatch(cache["imageCacheName"])]
    assert [cache["imageCacheName"] for cache in others] == ["Older", "Newer"]
    return [cache for cache in emulator.service.caches() if cache not in others]


class Check:
    """A check in this process, whose clients never really sleep."""

    def __init__(self, emulator: Emulator) -> None:
        self.elapsed = 0.0

        def sleep(seconds: float) -> None:
            self.elapsed += seconds
            emulator.advance(seconds)
            emulator.settings.clock_offset += seconds

        settings = emulator.settings
        keys = (settings.access_key, settings.secret_key, settings.region_id)
        transport = Transport(Connection(*keys, emulator.url, True, 10.0, 3, 30.0), 1)
        clock = Clock(sleep, lambda: self.elapsed, lambda: time.time() + self.elapsed)
        self.probe = Probe(Client(transport, clock=clock))
        cleaner = ImageCachesApi(Client(transport, clock=clock))
        self.own = OwnImageCache(self.probe, cleaner, PLACE, lambda _line: None)
        self.close = transport.close

    def run(self, duplicate: bool = False) -> dict[str, Any]:
        """Return the habits in the report."""
        self.probe.read()
        self.own.check(duplicate)
        habits: dict[str, Any] = report(self.probe.answers, bool(self.own.ids))["habits"]
        return habits


@pytest.fixture
def make_check(emulator: Emulator) -> Iterator[Callable[[], Check]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Check(emulator)))


@pytest.fixture
def check(make_check: Callable[[], Check]) -> Check:
    return make_check()


# Each service is odd in its own way.
SERVICES: dict[str, dict[str, Any]] = {
    "hides tags": {"tags_shown": False, "pending_status": "Pulling"},
    "loose": {
        "name_match": "fuzzy", "tags_filter": "any", "images_filter": "any", "filters_match": "any", "tags_update": "merge",
        "list_order": "newest", "unique_names": True,
    },
    "by keys": {"tags_filter": "key", "tags_shown": False, "tags_update": "merge", "name_match": "prefix"},
    "deaf": {"name_match": "off", "tags_filter": "off", "images_filter": "off", "max_page": 2},
    "slow": {"list_lag": 1, "delete_after": 5, "deleting_status": "Terminating"},
    "in its own words": {
        "zone_returned": "listed", "images_returned": "prefixed", "size_returned": "larger", "ready_status": "Ready",
        "time_form": "bare", "status_code_style": "800", "null_fields": True,
    },
    "curt": {"http_errors": False, "missing_reason": "Gone", "list_total": False, "region_returned": "query", "max_page": 1},
    "broken": {"failed_status": "CreateFailed", "delete_failed_status": "delete_failed", "quota": 7},
}  # fmt: skip
# Settings that bring these habits about.
CAUSES: dict[str, dict[str, Any]] = {
    "hides tags": {"ready_after": 10_000.0},
    "broken": {"fail_images": ["nginx"], "delete_fails": 1, "delete_after": 2},
}


@pytest.mark.parametrize("service", SERVICES)
def test_it_observes_the_habits_and_the_emulator_takes_them(
    service: str, make_check: Callable[[], Check], emulator: Emulator
) -> None:
    expected, causes = SERVICES[service], CAUSES.get(service, {})
    emulator.settings.update({**like(expected).settings, **causes})
    seed(emulator)
    habits = make_check().run(duplicate=True)
    assert {name: habits[name] for name in expected} == expected
    assert habits["unique_names"] is expected.get("unique_names", False)
    assert habits["delete_known"] is True
    assert left(emulator) == []

    likeness = like(habits)
    assert likeness.left == []
    emulator.settings.assign(Settings(access_key=emulator.settings.access_key, secret_key=emulator.settings.secret_key))
    emulator.settings.update({"ready_after": 0, **likeness.settings, **causes})
    seed(emulator)
    assert make_check().run(duplicate=True) == habits


@pytest.mark.parametrize(
    "value",
    ["imc-0123456789abcdef", "https://x", "10.0.0.1", "a b c d", "x" * 33, "wire-check-1", ["a"], {"a": 1}, 1.5],
)
def test_the_report_holds_no_other_text(value: Any) -> None:
    assert report({"ready_status": value}, False)["habits"]["ready_status"] == "other"


@pytest.mark.parametrize(("settings", "last"), [({"list_needs_images": True}, LIST), ({"quota": 0}, CREATE)])
def test_nothing_created_is_nothing_deleted(settings: Any, last: str, check: Check, emulator: Emulator) -> None:
    emulator.settings.update(settings)
    with pytest.raises(errors.ServiceError):
        check.run()
    assert emulator.requests[-1].operation == last
    assert [record for record in emulator.sent(DELETE) if record.effect] == []


@pytest.mark.parametrize(
    ("fault", "known"),
    [
        (Fault("gateway", DELETE, code="10000", status=404), False),
        (Fault("status", DELETE, status=404, html=True), False),
        (Fault("status", DELETE, status=422, reason="Invalid"), True),
    ],
    ids=["no such API", "a page", "refused by ECI"],
)
def test_nothing_is_ordered_that_could_not_be_deleted(
    fault: Fault, known: bool, check: Check, emulator: Emulator
) -> None:
    emulator.inject(fault)
    if known:
        check.run()
    else:
        with pytest.raises(errors.StateConflict, match="Nothing was created"):
            check.run()
    assert check.probe.answers["delete_known"] is known
    assert len(emulator.sent(CREATE)) == known
    assert left(emulator) == []


def test_a_name_that_exists_is_left_alone(check: Check, emulator: Emulator) -> None:
    emulator.service.seed(check.own.name, ["nginx:latest"])
    with pytest.raises(errors.StateConflict):
        check.run()
    assert (emulator.sent(CREATE), emulator.sent(DELETE), len(left(emulator))) == ([], [], 1)
    assert "billed" in check.probe.notes[0]  # like one that an earlier check has left


def test_a_creation_without_an_answer_is_found_by_its_name(check: Check, emulator: Emulator) -> None:
    emulator.settings.list_lag = 20.0
    emulator.inject(Fault("reset", CREATE, when="after"))
    with pytest.raises(errors.Unanswered):
        check.run()
    assert (len(emulator.sent(CREATE)), left(emulator)) == (1, [])


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"delete_fails": 10_000}, None),
        ({"delete_after": 10_000.0}, None),
        ({}, Fault("status", DELETE, times=None, skip=1, status=403)),
        ({"list_lag": 10_000.0}, Fault("reset", CREATE, when="after")),
    ],
)
def test_what_may_be_left_is_named(settings: Any, fault: Fault | None, check: Check, emulator: Emulator) -> None:
    emulator.settings.update(settings)
    emulator.inject(*([fault] if fault else []))
    with pytest.raises(errors.WaitFailed, match="billed until it is deleted") as caught:
        check.run()
    for cache in left(emulator):
        assert cache["imageCacheName"] in caught.value.message
        assert cache["imageCacheId"] in caught.value.message or "list_lag" in settings  # then it is not known


@pytest.mark.thorough
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 422},
        {"kind": "status", "status": 403},
        {"kind": "reset", "times": 4, "when": "after"},
        {"kind": "html", "times": None},
    ],
    ids=["refused", "no rights", "reset", "page"],
)
def test_any_request_may_fail(fault: dict[str, Any], make_check: Callable[[], Check], emulator: Emulator) -> None:
    """Each in its turn: in the end, nothing is left that the error does not name."""
    make_check().run(duplicate=True)
    for skip in range(len(emulator.requests)):
        emulator.faults.clear()
        seed(emulator)
        emulator.inject(Fault(**fault, skip=skip))
        message = ""
        try:
            make_check().run(duplicate=True)
        except errors.EciError as error:
            message = error.message
        assert all(cache["imageCacheName"] in message for cache in left(emulator)), skip


class Tool:
    """The tool in a process of its own."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.report = folder / "report.json"
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.environment = {**inherited, **emulator.environment}

    def start(self, *flags: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tools.wire_check", "--report", str(self.report), *flags],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Return the exit status, and all that it printed and wrote, which holds no key."""
        text = "".join(process.communicate(timeout=60))
        text += self.report.read_text(encoding="utf-8") if self.report.exists() else ""
        assert "planted-secret" not in text
        return process.returncode, text


@pytest.fixture
def tool(emulator: Emulator, tmp_path: Path) -> Tool:
    return Tool(emulator, tmp_path)


def test_the_tool_orders_one_and_deletes_it(tool: Tool, emulator: Emulator) -> None:
    status, text = tool.end(tool.start(*FLAGS, "--eip", "eip-test"))
    assert status == 0, text
    (order,) = emulator.sent(CREATE)
    body = order.body or {}
    assert NAME.fullmatch(body["imageCacheName"])
    assert {name: body[name] for name in PLACE} == PLACE
    assert (body["retentionDays"], body["eip"]) == (1, {"eipInstanceId": "eip-test"})
    assert body["imageCacheName"] in text and "billed" in text
    assert left(emulator) == []
    written = tool.report.read_text(encoding="utf-8")
    assert not re.search("planted|wire-check-|imc-|127.0.0.1|" + emulator.settings.region_id, written)
    assert json.loads(written)["created"] is True
    assert f"The report is in {tool.report}." in text

    emulator.reset()
    status, text = tool.end(tool.start())
    assert (status, f"there is a file {tool.report} already; give --overwrite" in text) == (2, True)
    assert emulator.requests == []
    assert tool.report.read_text(encoding="utf-8") == written
    assert tool.end(tool.start("--overwrite"))[0] == 0
    assert json.loads(tool.report.read_text(encoding="utf-8"))["created"] is False


def test_it_only_reads_by_default_and_the_emulator_behaves_like_the_report(tool: Tool, emulator: Emulator) -> None:
    emulator.settings.update({"name_match": "prefix", "time_form": "utc", "http_errors": False})
    tool.end(tool.start())
    assert {CREATE, UPDATE, DELETE}.isdisjoint(str(record.operation) for record in emulator.requests)
    written = json.loads(tool.report.read_text(encoding="utf-8"))
    assert written["created"] is False
    written["habits"].update(list_order="other")
    tool.report.write_text(json.dumps(written), encoding="utf-8")
    code = "import os, requests; print(requests.post(os.environ['CTYUN_ECI_ENDPOINT'] + '/_emulator/settings', json={}).text)"
    done = subprocess.run(
        [sys.executable, "-m", "tests.emulator", "--like", tool.report, "--", sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, check=True,
    )  # fmt: skip
    made = json.loads(done.stdout)
    assert (made["name_match"], made["time_form"], made["http_errors"]) == ("prefix", "utc", False)
    assert "not taken over: list_order (other)" in done.stderr


@pytest.mark.parametrize(("name", "phase"), [("SIGTERM", "Creating "), ("SIGINT", "Waiting "), ("SIGHUP", "Waiting ")])
def test_a_signal_deletes_what_was_created(name: str, phase: str, tool: Tool, emulator: Emulator) -> None:
    emulator.settings.update({"ready_after": 1000.0, "latency": 0.1 if phase == "Creating " else 0.0})
    process = tool.start(*FLAGS)
    assert process.stderr is not None
    assert any(line.startswith(phase) for line in process.stderr)  # reads no further than that
    process.send_signal(getattr(signal, name))
    status, text = tool.end(process)
    assert status == 1
    assert f"The task was stopped before it finished ({name})." in text
    assert (len(emulator.sent(CREATE)) <= 1, left(emulator)) == (True, [])


def test_what_it_could_not_delete_is_printed(
    tool: Tool, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator.settings.delete_fails = 1000
    monkeypatch.setattr(observe, "DELETED", Wait(0.2, 0.1))
    monkeypatch.setattr("sys.argv", ["wire_check", "--report", str(tool.report), *FLAGS])
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    before = signal.getsignal(signal.SIGHUP)
    assert main() == 1
    signal.signal(signal.SIGHUP, before)
    (cache,) = left(emulator)
    assert f"{cache['imageCacheId']}, named {cache['imageCacheName']}." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "variables", "status", "message"),
    [
        (["--create", "--vpc", "v"], {}, 2, "--create requires --subnet, --security-group, --zone, --image"),
        (FLAGS, {"CTYUN_SK": ""}, 1, "- secret_key: is required"),
        (FLAGS, {"CTYUN_SK": "planted-secret-wrong"}, 1, "Check that access_key and secret_key"),
    ],
)
def test_what_keeps_it_from_working(
    flags: list[str], variables: dict[str, str], status: int, message: str, tool: Tool, emulator: Emulator
) -> None:
    tool.environment.update(variables)
    found, text = tool.end(tool.start(*flags))
    assert (found, message in text) == (status, True), text
    assert emulator.sent(CREATE) == []
