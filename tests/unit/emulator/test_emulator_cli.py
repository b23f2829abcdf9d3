# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "tests.emulator"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def run(arguments: Sequence[str], **options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, **options},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "emulator.env"
    options = ["--latency-ms", "1", "--ready-after", "9", "--quota", "7", "--env-file", str(file)]
    for setting in ("tags_shown=false", "zones=a,b", "status_code_style=800", "zone_aliases=1=a,2=b", "rate=2"):
        options += ["--set", setting]
    process = subprocess.Popen(
        [*COMMAND, *options], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _number in range(5)]
        exports = dict(line.removeprefix("export ").rstrip("\n").split("=", 1) for line in lines[:4])
        assert sorted(exports) == ["CTYUN_AK", "CTYUN_ECI_ENDPOINT", "CTYUN_REGION_ID", "CTYUN_SK"]
        assert lines[4].startswith("# This is an emulator, not CTYun.")
        assert file.read_text(encoding="utf-8") == "".join(lines[:4])
        settings = requests.post(f"{exports['CTYUN_ECI_ENDPOINT']}/_emulator/settings", json={}, timeout=5).json()
        assert [settings[name] for name in ("latency", "ready_after", "quota", "rate")] == [0.001, 9.0, 7, 2.0]
        assert (settings["tags_shown"], settings["status_code_style"]) == (False, "800")
        assert (settings["zones"], settings["zone_aliases"]) == (["a", "b"], ["1=a", "2=b"])
        process.send_signal(number)
        assert process.communicate(timeout=5) == ("", "")
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait(5)


@pytest.mark.parametrize("tls", [[], ["--tls"]], ids=["http", "https"])
def test_it_runs_a_command_that_reaches_the_emulator_past_any_proxy(tls: list[str]) -> None:
    script = (
        "import os, requests, sys;"
        "print(requests.get(os.environ['CTYUN_ECI_ENDPOINT'] + '/_emulator/usage', timeout=5).status_code);"
        "print(os.environ['CTYUN_AK'], os.environ['KEPT'], *sys.argv[1:]);"
        "sys.exit(7)"
    )
    proxy = "http://127.0.0.1:9"
    options = {"http_proxy": proxy, "HTTP_PROXY": proxy, "no_proxy": "example.com", "KEPT": "kept"}
    result = run([*tls, "--", sys.executable, "-c", script, "--", "-x"], **options)
    assert (result.returncode, result.stdout, result.stderr) == (7, "200\nemulator-access-key kept -- -x\n", "")


@pytest.mark.thorough
@pytest.mark.parametrize("tls", [[], ["--tls"]], ids=["http", "https"])
@pytest.mark.parametrize("direct", ["", "*", "invalid"])
def test_the_command_reaches_nothing_else(tls: list[str], direct: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        script = (
            "import requests\n"
            "try:\n"
            "    print(requests.get('https://eci-global.ctapi.ctyun.cn.invalid/', timeout=5).status_code)\n"
            "except requests.exceptions.ProxyError as error:\n"
            "    print('refused' if 'Only the emulator can be reached' in str(error) else error)\n"
        )
        through = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        result = run([*tls, "--", sys.executable, "-c", script], https_proxy=through, NO_PROXY=direct, no_proxy=direct)
        assert (result.stdout, result.stderr) == ("refused\n", "")
        proxy.settimeout(0)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_the_ends_of_commands() -> None:
    script = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
    assert run(["--", sys.executable, "-c", script]).returncode == 128 + signal.SIGTERM
    result = run(["--", "no-such-command-here"])
    assert (result.returncode, result.stderr) == (127, "no-such-command-here: No such file or directory\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("quota", "expected name=value"),
        ("other=1", "no such setting: other"),
        ("tags_shown=maybe", "tags_shown must be true or false"),
        ("name_match=some", "name_match must be one of exact, prefix, fuzzy, off"),
        ("zone_aliases=az1", "zone_aliases must be a list of sent=returned"),
    ],
)
def test_a_wrong_setting(text: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.emulator.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main(["--set", text])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
