# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hand the emulator's address to the integration targets, then run the command that follows.

    python -m tests.emulator -- python tests/tools/integration.py ansible-test integration ...

ansible-test clears the environment, but passes the variables in tests/integration/integration_config.yml to every target.
IN_PROCESS=false in the environment runs every task as a module.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# variable of the targets: environment variable that the emulator exports
VARIABLES = {
    "ctyun_endpoint": "CTYUN_ECI_ENDPOINT",
    "ctyun_access_key": "CTYUN_AK",
    "ctyun_secret_key": "CTYUN_SK",
    "ctyun_region_id": "CTYUN_REGION_ID",
    # its own pages, which set faults and count requests, have the same address
    "ctyun_emulator_url": "CTYUN_ECI_ENDPOINT",
}


def main() -> None:
    missing = sorted({source for source in VARIABLES.values() if not os.environ.get(source)})
    if missing:
        sys.exit(f"Not in the environment: {', '.join(missing)}. Start this through: python -m tests.emulator -- ...")
    values: dict[str, object] = {variable: os.environ[source] for variable, source in VARIABLES.items()}
    # see docs/in_process_mode.md
    values["ctyun_eci_in_process"] = os.environ.get("IN_PROCESS", "true") == "true"
    # JSON is YAML, and needs no library here
    Path("tests/integration/integration_config.yml").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    # ansible-test writes the interpreter's path into the first lines of scripts, where a space is not allowed
    with tempfile.TemporaryDirectory(prefix="ctyun-eci-") as folder:
        environment = Path(folder) / "venv"
        environment.symlink_to(sys.prefix)
        program, *arguments = sys.argv[1:]
        command = [str(environment / "bin" / "python"), str(environment / "bin" / program), *arguments]
        path = os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])
        sys.exit(subprocess.call(command, env={**os.environ, "PATH": path}))


if __name__ == "__main__":
    main()
