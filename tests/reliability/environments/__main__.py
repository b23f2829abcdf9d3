# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Act out all rough environments, and print what happened as a table.

    python -m tests.reliability.environments [--write] [--only WORD...]

Ends with 1 if a promise was not kept. Limits are set with ulimit; nothing here needs root.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.emulator import Emulator
from tests.reliability import figures
from tests.reliability.environments import late, limits, locks, network
from tests.reliability.environments.stage import DOORS, Broken, Environment, NotTried, Stage

ENVIRONMENTS = [*late.ENVIRONMENTS, *locks.ENVIRONMENTS, *limits.ENVIRONMENTS, *network.ENVIRONMENTS]


def act(environment: Environment, door: str) -> str:
    """Act one out through a door. Returns what happened; raises Broken, NotTried."""
    folder = Path(tempfile.mkdtemp(prefix="eci-"))
    folder.chmod(0o755)
    with Emulator(**environment.settings) as emulator:
        stage = Stage(emulator, folder, door)
        try:
            return environment.run(stage)
        finally:
            stage.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="Act out rough environments.")
    parser.add_argument("--write", action="store_true", help="write the table to docs/reliability.md")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="those whose name has one of these words")
    options = parser.parse_args()
    rows = []
    broken = 0
    for environment, door in chosen(options.only):
        try:
            happened, kept = act(environment, door), "yes"
        except NotTried as reason:
            happened, kept = f"not tried: {reason}", "-"
        except Broken as error:
            print(error, file=sys.stderr)
            happened, kept = str(error).partition("\n")[0], "**no**"
            broken += 1
        rows.append(f"| {environment.name} | {door} | {environment.promise} | {happened} | {kept} |")
        print(rows[-1], flush=True)
    if options.write:
        heading = ["| environment | door | promise | what happened | kept |", "|---|---|---|---|---|"]
        figures.write("environments", "python -m tests.reliability.environments", "\n".join([*heading, *rows]))
    return 1 if broken else 0


def chosen(words: list[str]) -> Iterator[tuple[Environment, str]]:
    for environment in ENVIRONMENTS:
        if not words or any(word in environment.name for word in words):
            for door in DOORS:
                yield environment, door


if __name__ == "__main__":
    sys.exit(main())
