# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  lock_dir:
    description:
      - A directory in which tasks note which image caches they are working on, and what a task that was ended has left to do. It
        is on the machine where the module runs.
      - If it is not given, it is read from the environment variable E(CTYUN_ECI_LOCK_DIR). Otherwise a private directory in the
        temporary directory (E(TMPDIR)) is used, which all tasks of one user on one machine share.
      - For jobs that run on several machines or in containers, give a directory on a shared volume. The file system must
        keep locks of byte ranges for all of them, as NFS 4 does.
      - The directory must exist, and its path must be absolute. It must belong to the user of the task or to root, or a group of
        that user may write to it. Nobody else may. Use one directory for each account of CTYun.
    type: path
"""
