#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_caches
short_description: Keep many image caches of CTYun ECI in the states that a task describes
version_added: 0.1.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Does for a list of image caches what M(ctyun.eci.image_cache) does for one, in one task with few requests. One list tells
    what exists, several requests at a time make what is missing, and waiting takes one list for all.
  - One that fails does not keep the others from being made. The task fails at the end and tells what it changed.
options:
  concurrency:
    description:
      - How many requests may be under way at the same time. If the service says that they are too many, all pause.
    type: int
    default: 10
  prune:
    description:
      - Whether image caches that are not in O(image_caches) are deleted, if they carry all of O(prune_tags).
    type: bool
    default: false
  prune_tags:
    description:
      - The tags of the image caches that O(prune) may delete. Required with it.
    type: list
    elements: dict
    suboptions:
      key:
        description: The key of the tag.
        type: str
      value:
        description: The value of the tag.
        type: str
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.body.many
  - ctyun.eci.policy
  - ctyun.eci.wait
  - ctyun.eci.connection
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - The notes of M(ctyun.eci.image_cache) hold here as well.
  - The options O(drift), O(purge_tags) and O(wait) hold for all image caches of the task.
seealso:
  - module: ctyun.eci.image_cache
  - module: ctyun.eci.image_cache_info
"""

EXAMPLES = r"""
- name: Have two image caches and wait until both are ready
  ctyun.eci.image_caches:
    image_caches:
      - name: web
        images: ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest"]
        vpc_id: vpc-ctt6yag121
        v_switch_id: subnet-test
        security_group_id: sg-test
        az_info: {az_name: az1}
        tags: [{key: team, value: web}]
      - name: worker
        images: ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/agent:0.0.1"]
        vpc_id: vpc-ctt6yag121
        v_switch_id: subnet-test
        security_group_id: sg-test
        az_info: {az_name: az1}
        tags: [{key: team, value: web}]
    wait: true
    wait_timeout: 600

- name: Use the ID of one of them
  ansible.builtin.debug:
    msg: "{{ ansible_facts.imageCacheIds.web }}"

- name: Have the first one alone, of those of the team
  ctyun.eci.image_caches:
    image_caches:
      - name: web
        images: ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest"]
        vpc_id: vpc-ctt6yag121
        v_switch_id: subnet-test
        security_group_id: sg-test
        az_info: {az_name: az1}
        tags: [{key: team, value: web}]
    prune: true
    prune_tags: [{key: team, value: web}]
"""

RETURN = r"""
image_caches:
  description:
    - One entry for each image cache of the task, in the order given. Each has always the same keys.
  returned: unless the arguments are wrong or nothing could be listed
  type: list
  elements: dict
  contains:
    image_cache_name:
      description: The name of the image cache.
      type: str
      sample: web
    changed:
      description: Whether this task changed it.
      type: bool
    image_cache_id:
      description: Its ID. V(null) if there is none, and in check mode if one would be created.
      type: str
      sample: imc-7nh0dkpoaxepqyh2
    image_cache:
      description: The image cache, with the same keys as in M(ctyun.eci.image_cache).
      type: dict
    request_id:
      description: The service's ID of the last request that changed it. V(null) if nothing was changed.
      type: str
      sample: c8584614-daa4-475e-a8c3-113dc8f108c1
    drift:
      description: Where it differs from the task in what cannot be changed, as in M(ctyun.eci.image_cache).
      type: list
      elements: dict
    failed:
      description: Whether it could not be brought into the wanted state.
      type: bool
    msg:
      description: The error. V(null) if there is none.
      type: str
    failure:
      description: What a program can use of the error, as in M(ctyun.eci.image_cache). V(null) if there is none.
      type: dict
pruned:
  description: One entry for each image cache that was deleted because of O(prune), or would be. With the same keys.
  returned: unless the arguments are wrong or nothing could be listed
  type: list
  elements: dict
ansible_facts:
  description: Facts for the tasks that follow.
  returned: success
  type: dict
  contains:
    imageCacheIds:
      description: The IDs of the image caches of the task by their names.
      type: dict
      sample: {"web": "imc-7nh0dkpoaxepqyh2", "worker": "imc-oni57igbl0kp8t3x"}
failure:
  description: That of the first entry that failed, see M(ctyun.eci.image_cache).
  returned: failure, unless the arguments are wrong
  type: dict
"""

from ansible_collections.ctyun.eci.plugins.module_utils._module import run_module
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
