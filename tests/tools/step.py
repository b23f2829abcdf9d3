# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one step of the checks: say that it begins, keep its output in build/logs, judge it, and say in one line how it went.

    python tests/tools/step.py NAME [--require RE] [--reject RE] [--figure RE] [--count RE WORDS] -- COMMAND...

The step fails when the command does, when a line matches --reject, and when no line matches --require. Tools that pass without having
looked at anything are caught that way. With STEP_QUIET set, the output is shown only if the step fails. STEP_PREFIX is put before the name.
How long a step usually takes is what it took here when it last was good, else what it takes on two cores that have other steps to do.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"
LOGS = BUILD / "logs"
TIMES = BUILD / "times"
USUAL = {
    "ansible-lint": 20,
    "antsibull-docs": 10,
    "galaxy-importer": 15,
    "installed-quickstart": 5,
    "integration": 60,
    "integration-as-modules": 120,
    "demo": 5,
    "mypy": 30,
    "playbooks": 500,
    "sanity": 150,
    "unit": 200,
}
A_MOMENT = 2
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name")
    parser.add_argument("--require", metavar="RE", action="append", default=[], help="a line must match this")
    parser.add_argument("--reject", metavar="RE", action="append", default=[], help="no line may match this")
    parser.add_argument(
        "--figure",
        metavar="RE",
        action="append",
        default=[],
        help="report what the last matching line matched (its group 1, if any)",
    )
    parser.add_argument("--count", metavar=("RE", "WORDS"), nargs=2, help="report how many lines match")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def run(command: list[str], log: Path, quiet: bool) -> int:
    """Run the command with its output going to the log and, unless quiet, to the terminal as well."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    with log.open("wb") as kept:
        try:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except OSError as error:
            kept.write(f"{error}\n".encode())
            return 127
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), 65536):
            kept.write(chunk)
            if not quiet:
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
    return process.wait()


def usually(name: str) -> float:
    """Seconds that a step takes."""
    try:
        return float((TIMES / name).read_text())
    except (OSError, ValueError):
        return USUAL.get(name.removeprefix("again-"), A_MOMENT)


def learn(name: str, seconds: float) -> None:
    TIMES.mkdir(parents=True, exist_ok=True)
    (TIMES / name).write_text(f"{seconds:.1f}\n")


def figure(pattern: str, lines: list[str]) -> list[str]:
    for line in reversed(lines):
        match = re.search(pattern, line)
        if match:
            return [match.group(match.re.groups and 1).strip()]
    return []


def main() -> int:
    options = arguments()
    options.name = os.environ.get("STEP_PREFIX", "") + options.name
    quiet = bool(os.environ.get("STEP_QUIET"))
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{options.name}.log"

    usual = usually(options.name)
    print(
        f"begin           {options.name:22} {f'usually {usual:.0f} s' if usual > A_MOMENT else ''}".rstrip(), flush=True
    )
    started = time.monotonic()
    status = run(options.command, log, quiet)
    seconds = time.monotonic() - started

    lines = COLOUR.sub("", log.read_text(encoding="utf-8", errors="replace")).splitlines()
    complaints = [f"exit status {status}"] if status else []
    complaints += [
        f"rejected: {line.strip()}" for line in lines if any(re.search(pattern, line) for pattern in options.reject)
    ]
    complaints += [
        f"no line matches {pattern!r}"
        for pattern in options.require
        if not any(re.search(pattern, line) for line in lines)
    ]

    figures: list[str] = []
    if options.count:
        figures.append(f"{sum(bool(re.search(options.count[0], line)) for line in lines)} {options.count[1]}")
    for pattern in options.figure:
        figures += figure(pattern, lines)

    if complaints and quiet:
        print(f"----- output of {options.name} -----", *lines, f"----- end of {options.name} -----", sep="\n")
    print(f"{'FAIL' if complaints else 'ok':4} {seconds:6.1f} s  {options.name:22} {', '.join(figures)}".rstrip())
    if not complaints:
        learn(options.name, seconds)
    for complaint in complaints[:10]:
        print(f"     {complaint}")
    return status or int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main())
