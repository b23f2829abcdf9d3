# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one step of the checks: print its start, write its output to build/logs, judge the output, and print the result in one line.

    python tests/tools/step.py NAME [--require RE] [--reject RE] [--figure RE] [--count RE WORDS] -- COMMAND...

The step fails if the command fails, if a line matches --reject, or if no line matches --require: a tool that passes without
checking anything is caught that way. With STEP_QUIET set, the output is shown only if the step fails; every 60 seconds, or
STEP_SIGN_OF_LIFE, a line says how long the step has run, and what its output is at. STEP_PREFIX is put before the name. The usual
duration is that of the last good run here, else the one in USUAL (two cores, other steps running).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build" / "logs"
TIMES = ROOT / "build" / "times"
USUAL = {
    "ansible-lint": 20,
    "antsibull-docs": 10,
    "galaxy-importer": 15,
    "integration": 60,
    "integration-as-modules": 120,
    "mypy": 30,
    "playbooks": 300,
    "sanity": 150,
    "unit": 200,
}
A_MOMENT = 2
SIGN_OF_LIFE = float(os.environ.get("STEP_SIGN_OF_LIFE", "60"))
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name")
    repeated: dict[str, Any] = {"metavar": "RE", "action": "append", "default": []}
    parser.add_argument("--require", **repeated, help="a line must match this")
    parser.add_argument("--reject", **repeated, help="no line may match this")
    parser.add_argument("--figure", **repeated, help="report the last match (its group 1, if any)")
    parser.add_argument("--count", metavar=("RE", "WORDS"), nargs=2, help="report how many lines match")
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def report_each_minute(name: str, log: Path, end: threading.Event) -> None:
    started = time.monotonic()
    while not end.wait(SIGN_OF_LIFE):
        lines = COLOUR.sub("", log.read_text(encoding="utf-8", errors="replace")).split("\n")
        last = next((line.strip()[-60:] for line in reversed(lines) if line.strip()), "")
        print(f"running{time.monotonic() - started:6.0f} s  {name:22} {last}".rstrip(), flush=True)


def run(command: list[str], log: Path, quiet: bool) -> int:
    """Run the command; write its output to the log and, unless quiet, to the terminal as well."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    with log.open("wb", buffering=0) as file:
        try:
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except OSError as error:
            file.write(f"{error}\n".encode())
            return 127
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), 65536):
            file.write(chunk)
            if not quiet:
                sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
    return process.wait()


def usual_seconds(name: str) -> float:
    try:
        return float((TIMES / name).read_text())
    except (OSError, ValueError):
        return USUAL.get(name, A_MOMENT)


def complaints(status: int, lines: list[str], options: argparse.Namespace) -> list[str]:
    rejected = [line.strip() for line in lines if any(re.search(pattern, line) for pattern in options.reject)]
    missing = [pattern for pattern in options.require if not any(re.search(pattern, line) for line in lines)]
    return [
        *([f"exit status {status}"] if status else []),
        *(f"rejected: {line}" for line in rejected),
        *(f"no line matches {pattern!r}" for pattern in missing),
    ]


def figures(lines: list[str], options: argparse.Namespace) -> list[str]:
    found = []
    if options.count:
        pattern, words = options.count
        found.append(f"{sum(bool(re.search(pattern, line)) for line in lines)} {words}")
    for pattern in options.figure:
        matches = [match for match in (re.search(pattern, line) for line in lines) if match]
        found += [match.group(match.re.groups and 1).strip() for match in matches[-1:]]
    return found


def main() -> int:
    options = arguments()
    name = os.environ.get("STEP_PREFIX", "") + options.name
    quiet = bool(os.environ.get("STEP_QUIET"))
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"

    usual = usual_seconds(name)
    duration = f", usually {usual:.0f} s" if usual > A_MOMENT else ""
    print(f"begin           {name:22} {log.relative_to(ROOT)}{duration}", flush=True)
    log.write_bytes(b"")
    started = time.monotonic()
    end = threading.Event()
    if quiet:
        threading.Thread(target=report_each_minute, args=(name, log, end), daemon=True).start()
    status = run(options.command, log, quiet)
    end.set()
    seconds = time.monotonic() - started

    lines = COLOUR.sub("", log.read_text(encoding="utf-8", errors="replace")).splitlines()
    bad = complaints(status, lines, options)
    if bad and quiet:
        print(f"----- output of {name} -----", *lines, f"----- end of {name} -----", sep="\n")
    print(f"{'FAIL' if bad else 'ok':4} {seconds:6.1f} s  {name:22} {', '.join(figures(lines, options))}".rstrip())
    for complaint in bad[:10]:
        print(f"     {complaint}")
    if not bad:
        TIMES.mkdir(parents=True, exist_ok=True)
        (TIMES / name).write_text(f"{seconds:.1f}\n")
    return status or int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
