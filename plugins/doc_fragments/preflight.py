# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  preflight:
    description:
      - Whether to check images, registry credentials, size, zone and quota before an image cache is created.
      - V(warn) warns of mistakes, and V(fail) fails before anything is changed. What cannot be checked is only a warning. See the guide
        R(Preflight,ansible_collections.ctyun.eci.docsite.preflight).
    type: str
    choices: ["off", warn, fail]
    default: "off"
"""
