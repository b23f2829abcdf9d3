# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install packages with pip into the environment that runs this, and say so if pip could not reach its index."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

LOG = Path(sys.prefix) / "pip.log"
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--progress-bar=off", "--no-input", "--no-compile"]
# Only pip's log has this. After it, pip knows no releases, and blames the requirements.
NO_PAGE = re.compile(r"Could not fetch URL .*")
BLAME = re.compile(r"conflicting dependencies|ResolutionImpossible|Could not find a version|No matching distribution")
UNREACHABLE = re.compile(
    r"Could not fetch URL \w+://(?:[^/@]*@)?([^/:]+)\S*: (?:connection error|There was a problem confirming the ssl)"
    r"|Pool\(host='([^']+)', port=\d+\): (?:Read timed out|Max retries exceeded(?!.*too many \d+ error))"
)


def remove_half_installed(packages: Path) -> None:
    """pip takes a package for installed as soon as its METADATA is there; a RECORD that lists INSTALLER comes last."""
    for folder in packages.glob("*.dist-info"):
        record = folder / "RECORD"
        if folder.name.startswith("~") or not record.exists() or "/INSTALLER," not in record.read_text("utf-8"):
            shutil.rmtree(folder)


def main() -> int:
    remove_half_installed(Path(sysconfig.get_path("purelib")))
    LOG.unlink(missing_ok=True)
    command = [*PIP, "--disable-pip-version-check", "--root-user-action=ignore", "--log", str(LOG), *sys.argv[1:]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    errors = []
    try:
        for line in process.stdout:
            if line.startswith("ERROR: "):
                errors.append(line)
            else:
                print(line, end="", flush=True)
    except KeyboardInterrupt:
        return process.wait() or 130
    if not process.wait():
        return 0
    log = LOG.read_text("utf-8", "replace") if LOG.exists() else ""
    hosts = sorted({index or host for index, host in UNREACHABLE.findall(log)})
    print(*(line for line in errors if not (hosts and BLAME.search(line))), sep="", end="")
    print(*NO_PAGE.findall(log)[:1], f"All that pip said is in {LOG}.", sep="\n")
    if hosts:
        print(f"pip could not reach the package index at {', '.join(hosts)}. It uses your settings of pip, such as")
        print("PIP_INDEX_URL and pip.conf: if there is a mirror in your network, set it there.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
