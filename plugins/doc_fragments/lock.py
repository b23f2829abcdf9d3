# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  lock_dir:
    description:
      - The directory where tasks tell each other which image caches they are at work on, and what an ended task left
        undone. It is where the module runs.
      - If it is not given, the environment variable E(CTYUN_ECI_LOCK_DIR) is looked at. Without either it is a private
        directory under the temporary one (E(TMPDIR)), which tasks of one user on one machine share.
      - Name one on a shared volume for jobs that run on several machines or in containers. The file system has to keep
        locks of byte ranges for all of them, as NFS 4 does.
      - It must exist, and its path must be absolute. It must belong to the user of the task or to root, or a group of that
        user may write to it. Nobody else may. Accounts of CTYun that have nothing to do with each other should not share one.
    type: path
"""
