#!/bin/sh
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Shows what a merge would change. Arguments are passed to ansible-playbook.

set -eu
exec ansible-playbook "$(dirname "$0")/image_caches.yml" --check --diff "$@"
