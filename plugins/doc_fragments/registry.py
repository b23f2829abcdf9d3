# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  registry_addresses:
    description:
      - The addresses of registries that this machine reaches under another name than the one in the images. Maps that name to
        the one to use, both with a port or a path if need be, for example V(docker.io) to V(harbor.example.com/hub-proxy).
      - The login for the name is sent to the address, so both must lead to the same images.
      - Names of CTYun's registry for machines in the VPC, such as V(registry-vpc-crs-huadong1.ctyun.cn), are asked for under the
        name without V(vpc-). Map such a name to itself to turn this off.
    type: dict
  platform:
    description:
      - The platform that an image must have, an operating system and an architecture, and a variant if need be.
      - CTYun does not say which platforms ECI has. The default is the one that its examples and nearly all images are for.
    type: str
    default: linux/amd64
  size_factor:
    description:
      - What the packed size of the images is multiplied by, for the size of an image cache that holds them unpacked.
        V(1) at least, V(100) at most.
      - CTYun states no rule. Huawei Cloud, in the documentation of its image snapshots, takes three times the size of the
        image where none is given, see U(https://support.huaweicloud.com/api-aidatalake/CreateV2TenantImageSnapshot.html).
    type: float
    default: 3
"""
