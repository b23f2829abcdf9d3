# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of the service stay texts: nothing that they say runs, and no line is forged, whichever way they take."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from tests.emulator import Emulator
from tests.unit.plugins.emulated import present, seed

from .conftest import PLACES, Ansible
from .test_adopt import adopt, fill_in, read_variables

# Each names the file that it would make if it ran.
COMMANDS = [
    "#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[ lookup('pipe', 'touch {0}') ]]",
    "#jinja2: variable_start_string: '<', variable_end_string: '>'\n<lookup('pipe', 'touch {0}')>",
    "{{{{ lookup('pipe', 'touch {0}') }}}}",
    "{{% set x = lookup('pipe', 'touch {0}') %}}",
    "{{# {0} #}}",
    "!unsafe {0}",
    "{0}\nadopt_evil: true",
    "{0}\u2028adopt_evil: true",
    '{0}"\nadopt_evil: true #',
    "{0}', adopt_evil: true, x: '",
]
ODD = "\x00\x07\x08\t\n\x0b\x0c\r\x1b\x1c\x1e\x7f\x80\x85\x9b\x9d\xa0\xad\u200b\u2028\u2029\u202e\u2066\ufeff\uffff\U0001f600数库'\"\\%{}#:-&*!|>@`[],? ~"
FORGED = [
    "\x1b[2J\x1b[1;1Hok: [localhost]",
    "x\r- forged",
    "x\nfatal: forged",
    "\x9b2Jx",
    "\x1b]0;title\x07",
    "\u202etxet",
]
# What a task refuses in a name: adopt writes it down all the same.
REFUSED = [chr(code) for code in (*range(32), *range(127, 160))]


def texts(folder: Path) -> list[str]:
    random.seed(21)
    drawn = ["a" + "".join(random.choices(ODD, k=12)) + "z" for _number in range(30)]
    return [text.format(folder / "ran") for text in COMMANDS] + [f"a{char}z" for char in ODD] + FORGED + drawn


def is_refused(text: str) -> bool:
    return any(char in text for char in REFUSED) or text != text.strip()


def everywhere(emulator: Emulator, text: str) -> None:
    """An image cache whose every field says this."""
    tags = [{"key": text, "value": text}]
    seed(emulator, text, images=[text], azName=text, tags=tags)


def is_clean(output: str) -> bool:
    """Whether nothing is hidden or forged in what a person reads. Results for programs, which Ansible prints, are left out."""
    lines = [line for line in output.split("\n") if not line.startswith("fatal: [localhost]: FAILED! => {")]
    return all(line.isprintable() and not line.startswith(("- forged", "fatal: forged")) for line in lines)


def test_adopt_and_back(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    every = texts(tmp_path)
    for text in every:
        everywhere(emulator, text)
        seed(emulator, f"gone {text}", status=f"deleting {text}")
    seed(emulator, "")
    path = tmp_path / "vars.yml"
    done = adopt(ansible, emulator, path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert is_clean(path.read_text(encoding="utf-8"))
    written = read_variables(path)
    assert set(written) == {"adopted", "image_caches"}
    for entry, text in zip(written["image_caches"], every, strict=True):
        tags = [{"key": text, "value": text}]
        found = (entry["name"], entry["images"], entry["az_info"]["az_name"], entry["tags"])
        assert found == (text, [text], text, tags)

    fill_in(path)
    again = ansible("playbook", "ctyun.eci.image_caches", "-e", f"@{path}", "--check", "--diff", **emulator.environment)
    assert again.returncode == 2
    refused = {number for number, text in enumerate(every) if is_refused(text)}
    named = {number for number in range(len(every)) if f"image_caches[{number}].name:" in again.stdout}
    assert named == refused, again.stdout + again.stderr
    assert is_clean(again.stdout + again.stderr)
    assert not (tmp_path / "ran").exists()


def test_what_a_task_accepts_changes_nothing(ansible: Ansible, emulator: Emulator, tmp_path: Path) -> None:
    for text in texts(tmp_path):
        if not is_refused(text):
            everywhere(emulator, text)
    path = tmp_path / "vars.yml"
    assert adopt(ansible, emulator, path).returncode == 0
    fill_in(path)
    for in_process in ("true", "false"):
        switch = f"ctyun_eci_in_process={in_process}"
        arguments = ("ctyun.eci.image_caches", "-e", f"@{path}", "--diff", "-e", switch)
        again = ansible("playbook", *arguments, **emulator.environment)
        assert (again.returncode, again.stderr) == (0, ""), again.stdout
        assert "changed=0 " in again.stdout
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("in_process", ["true", "false"])
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_is_forged_on_the_terminal(
    fails: bool, in_process: str, ansible: Ansible, emulator: Emulator, tmp_path: Path
) -> None:
    """Plan, warnings, messages and progress of a task that finds such texts."""
    tags, odd = [{"key": "a", "value": "1"}], [{"key": text, "value": text} for text in FORGED]
    pruned = [seed(emulator, text, images=[text], tags=[*tags, *odd], age=9) for text in FORGED]
    wanted = [{"name": f"web-{number}", "images": ["nginx:1"], "az_info": {"az_name": "az1"}} for number in range(9)]
    for entry, text in zip(wanted, FORGED, strict=False):
        status = f"failed {text}" if fails else "ready"
        seed(emulator, entry["name"], images=[text], tags=odd, azName=text, status=status)
    options = {"prune": True, "prune_tags": tags, "wait": True, "drift": "warn"}
    variables = tmp_path / "vars.yml"
    variables.write_text(
        yaml.safe_dump({"image_caches": [{**PLACES, **entry} for entry in wanted], "image_caches_options": options})
    )
    for mode in (["--check"], []):
        arguments = ("ctyun.eci.image_caches", "-e", f"@{variables}", "--diff", *mode)
        done = ansible("playbook", *arguments, "-e", f"ctyun_eci_in_process={in_process}", **emulator.environment)
        assert done.returncode == (2 if fails else 0), done.stdout
        assert is_clean(done.stdout + done.stderr), done.stdout
        assert "\\x1b[2J" in done.stdout
    assert all(one in present(emulator) for one in pruned) == fails
