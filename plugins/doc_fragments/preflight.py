# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  preflight:
    description:
      - Whether to check an order before it is sent, since a mistake is found minutes after the order otherwise. The checks are
        whether each image is in its registry, whether its login is right, whether O(ignore:image_cache_size) is enough, whether
        the zone is one of the region, and whether the quota is sufficient. Image caches that exist are not checked.
      - V(off) checks nothing.
      - V(warn) makes a warning of each finding, and goes on.
      - V(fail) fails with all findings, by the path of the option, before anything is ordered or changed. In check mode as
        well.
      - What is unknown on this machine is a note in either case and no reason to fail. That is a registry that it does not
        reach, and an image whose name has no server, since CTYun does not document which registry it uses then.
    type: str
    choices: ["off", warn, fail]
    default: "off"
"""
