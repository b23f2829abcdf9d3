# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter printable."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.ctyun.eci.plugins.module_utils._text import printable as escape

DOCUMENTATION = r"""
name: printable
short_description: Escape characters of a string that are not printable
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Escapes characters that a terminal or an editor does not show, such as line feeds and escape sequences, for example in the name
    of an image cache that another user created.
options:
  _input:
    description: The string.
    type: str
    required: true
  quote:
    description:
      - Whether to add double quotes, so that YAML reads the same string. In a file of variables, put C(!unsafe) before it, so that Ansible
        does not read it as a template.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Write a tag to a file of variables
  ansible.builtin.copy:
    content: "team: !unsafe {{ tag | ctyun.eci.printable(quote=true) }}\n"
    dest: vars.yml
    mode: "0644"
  vars:
    tag: "web\tdb"
"""

RETURN = r"""
_value:
  description: The string in one line.
  type: str
  sample: "web\\tdb"
"""


def printable(text: Any, quote: bool = False) -> str:
    """Escape what is not printable, and ``quote`` the text as YAML. Raises AnsibleFilterError for anything but a string."""
    if not isinstance(text, str):
        raise AnsibleFilterError(f"printable needs a string, not {type(text).__name__}")
    if not quote:
        return escape(text)
    # YAML can write a lone surrogate, and cannot read it
    escaped = text.encode(errors="replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escape(escaped)}"'


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return the filter by its name."""
        return {"printable": printable}
