# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  registry_addresses:
    description:
      - Maps the name of a registry to the address under which this machine reaches it, for example V(docker.io) to
        V(harbor.example.com/hub-proxy). Both must serve the same images, since the login for the name is sent to the address.
    type: dict
  platform:
    description:
      - The platform that an image must have, as operating system, architecture and, if needed, variant.
    type: str
    default: linux/amd64
  size_factor:
    description:
      - The factor from the compressed size of the images to the size of the image cache, from V(1) to V(100).
    type: float
    default: 3
"""
