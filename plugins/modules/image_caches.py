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
  - What is missing is made first, and what is no longer wanted is deleted last. One that fails does not keep the others from
    being made, but nothing is deleted or replaced then. The task fails at the end and tells what it changed.
options:
  state:
    description:
      - Whether the image caches shall exist, those that do not say so themselves.
    type: str
    choices: [present, absent]
    default: present
  concurrency:
    description:
      - How many requests may be under way at the same time, V(1000) at most. If the service says that they are too many, the task
        finds out how many it takes.
    type: int
    default: 10
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.body.many
  - ctyun.eci.prune
  - ctyun.eci.policy
  - ctyun.eci.wait
  - ctyun.eci.lock
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
  - The options O(drift), O(duplicates), O(purge_tags) and O(wait) hold for all image caches of the task.
  - Where the service shows no tags, its list is asked once for each different tag of the task and once for each different key, by
    O(concurrency) requests at a time.
  - The first refusal for the quota ends the creation of others. If requests fail too often, no more are begun.
  - When the task is ended, by the keyword C(timeout) or by a signal, nothing new is begun, and what is under way is finished and
    told. A module that runs in a process of its own cannot tell Ansible any more when its time is over, and after Ctrl-C Ansible
    shows no results.
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
    wait: true
    prune: true
    prune_tags: [{key: team, value: web}]
    prune_keep: 1

- name: Delete some of them
  ctyun.eci.image_caches:
    image_caches:
      - name: web
      - name: worker
    state: absent
    wait: true
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
      description: What a program can use of the error, always with the same keys. V(null) if there is none.
      type: dict
      contains:
        code:
          description: The code of the service.
          type: str
          sample: ECI.Openapi.StatusReasonQuotaExceed
        message:
          description: The message of the service, or of this module where no reply came.
          type: str
        request_id:
          description: The service's ID of the request, or the one that was sent (C(ctyun-eop-request-id)).
          type: str
        http_status:
          description: The HTTP status.
          type: int
          sample: 429
        operation:
          description: The operation of the API.
          type: str
          sample: createImageCache
        effect:
          description:
            - Whether the request can have taken effect, be it in this or in an earlier attempt.
            - V(none) if it cannot have, V(possible) if it may have. A request that only reads has none.
          type: str
          choices: [none, possible]
          sample: none
        attempts:
          description: How often the request was sent, or tried to be sent.
          type: int
          sample: 1
    duplicates:
      description: The IDs of younger ones of the same name that were deleted, or would be, since O(duplicates) says so.
      type: list
      elements: str
    waited:
      description: For how many seconds it was waited for alone.
      type: float
pruned:
  description: One entry for each image cache that was deleted because of O(prune), or would be. With the same keys.
  returned: unless the arguments are wrong or nothing could be listed
  type: list
  elements: dict
kept:
  description: The image caches that O(prune) could have deleted and did not.
  returned: unless the arguments are wrong or nothing could be listed
  type: list
  elements: dict
  contains:
    image_cache_name:
      description: The name of the image cache.
      type: str
      sample: web-41
    image_cache_id:
      description: Its ID.
      type: str
      sample: imc-7nh0dkpoaxepqyh2
    reason:
      description:
        - Why it was kept. V(prune_keep) and V(prune_grace) are those options. V(not_ready) and V(failed) are about the wanted image
          caches. V(busy) means that another task of this machine is at work on it, V(tags_unknown) that it cannot be told whether
          it carries the tags.
      type: str
      choices: [prune_keep, prune_grace, not_ready, failed, busy, tags_unknown]
      sample: prune_grace
    until:
      description: Until when it is kept, in UTC, where that is known. Else V(null).
      type: str
      sample: "2026-11-25T12:00:00Z"
plan:
  description:
    - How many changes there are, or would be in check mode, and what they come to. In diff mode C(diff) tells them line by line.
  returned: unless the arguments are wrong or nothing could be listed
  type: dict
  contains:
    create:
      description: How many are made.
      type: int
    retag:
      description: How many get other tags.
      type: int
    replace:
      description: How many are deleted and made anew.
      type: int
    delete:
      description: How many are deleted since they shall be absent, or are younger ones of a name.
      type: int
    prune:
      description: How many are pruned.
      type: int
    drift:
      description: How many differ and are left as they are.
      type: int
    unchanged:
      description: How many are as they shall be.
      type: int
    failed:
      description: How many cannot be, or could not be, brought into the wanted state.
      type: int
    gb_before:
      description: The size of all image caches of the region before, in GB.
      type: int
    gb_after:
      description: Their size after, in GB.
      type: int
    quota_used:
      description: How many image caches of the quota were used before. V(null) without diff mode.
      type: int
    quota_limit:
      description: The quota. V(null) without diff mode.
      type: int
waited:
  description: For how many seconds the task waited for image caches to be ready, or to be gone.
  returned: unless the arguments are wrong or nothing could be listed
  type: float
  sample: 92.5
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
  description: That of the first entry that failed, or of the list if that failed. It has always the same keys.
  returned: failure, unless the arguments are wrong
  type: dict
  contains:
    code:
      description: The code of the service.
      type: str
      sample: ECI.Openapi.StatusReasonQuotaExceed
    message:
      description: The message of the service, or of this module where no reply came.
      type: str
    request_id:
      description: The service's ID of the request, or the one that was sent (C(ctyun-eop-request-id)).
      type: str
    http_status:
      description: The HTTP status.
      type: int
      sample: 429
    operation:
      description: The operation of the API.
      type: str
      sample: createImageCache
    effect:
      description:
        - Whether the request can have taken effect, be it in this or in an earlier attempt.
        - V(none) if it cannot have, V(possible) if it may have. A request that only reads has none.
      type: str
      choices: [none, possible]
      sample: none
    attempts:
      description: How often the request was sent, or tried to be sent.
      type: int
      sample: 1
"""

from ansible_collections.ctyun.eci.plugins.module_utils._module import run_module
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
