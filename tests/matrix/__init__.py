# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the collection on every release line of ansible-core that it supports, with every Python of this machine.

    python -m tests.matrix [--core LINE] [--only KIND] [--processes 2] [--write]

pythons.py finds the Pythons, environments.py makes virtual environments, cells.py defines and runs the cells, page.py writes the table.
"""
