# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In place of the get-pip script that ansible-test would download: take pip from ensurepip, then install the wanted release."""

from __future__ import annotations

import subprocess
import sys

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
packages = [argument for argument in sys.argv[1:] if not argument.startswith("-")]

subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
subprocess.check_call([*PIP, "install", *packages])
