# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  registry_addresses:
    description:
      - The addresses of registries that this machine reaches under another name than the one in the images. Maps that name,
        with its port if it has one, to a host and port of the same registry.
      - Images of CTYun's own registry may have names that only machines in the VPC reach, such as
        V(registry-vpc-crs-huadong1.ctyun.cn), where V(registry-crs-huadong1.ctyun.cn) is reached from elsewhere.
      - The login for the name is sent to the address, so both must be the same registry.
    type: dict
  size_factor:
    description:
      - What the packed size of the images is multiplied by, for the size of an image cache that holds them unpacked.
        V(1) at least, V(100) at most.
      - CTYun states no rule. Huawei Cloud, in the documentation of its image snapshots, takes three times the size of the
        image where none is given, see U(https://support.huaweicloud.com/api-aidatalake/CreateV2TenantImageSnapshot.html).
    type: float
    default: 3
"""
