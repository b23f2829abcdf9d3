# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  preflight:
    description:
      - Whether to check orders before they are sent. Otherwise a mistake is found minutes after the order. Checked are whether each
        image exists in its registry, whether its login may read it, whether O(ignore:image_cache_size) is enough, whether the region
        has the zone, and whether the quota is sufficient. Image caches that exist are not checked.
      - V(off) checks nothing.
      - V(warn) warns of each finding, and goes on.
      - V(fail) fails with all mistakes, by the path of the option, before anything is ordered or changed, in check mode as well.
      - What is not known is no reason to fail. That is a registry that this machine does not reach, an image whose name has no
        server, since CTYun does not document which registry it uses then, and zones or a quota that cannot be read.
    type: str
    choices: ["off", warn, fail]
    default: "off"
"""
