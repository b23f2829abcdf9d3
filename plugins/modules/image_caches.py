#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_caches
short_description: Manage many image caches of CTYun ECI in one task
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Does for a list of image caches what M(ctyun.eci.image_cache) does for one. It lists all of them with few requests, creates the
    missing ones at the same time, and waits for all together. It can also prune those that are not in the list.
  - If one image cache fails, the others are still created, but none is replaced, deleted or pruned. The task fails at the end, and its
    result has an entry for each.
options:
  state:
    description:
      - Whether the image caches should exist, except those with their own O(image_caches[].state).
    type: str
    choices: [present, absent]
    default: present
  concurrency:
    description:
      - The number of requests that may be under way at the same time, at most V(1000). Requests slow down if the service throttles
        them.
    type: int
    default: 10
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.body.many
  - ctyun.eci.prune
  - ctyun.eci.policy
  - ctyun.eci.preflight
  - ctyun.eci.registry
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
  - The notes of M(ctyun.eci.image_cache) apply here as well.
  - A task that is stopped, by the keyword C(timeout) or a signal, finishes the requests under way and reports what they did. See the
    guide R(Many image caches,ansible_collections.ctyun.eci.docsite.bulk).
seealso:
  - module: ctyun.eci.image_cache
  - module: ctyun.eci.image_cache_info
"""

EXAMPLES = r"""
- name: Create two image caches and wait until both are ready
  ctyun.eci.image_caches:
    image_caches:
      - name: web
        images: ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest"]
        vpc_id: vpc-ctt6yag121
        v_switch_id: subnet-test
        security_group_id: sg-test
        az_info: {az_name: az1}
        tags: {team: web}
      - name: worker
        images: ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/agent:0.0.1"]
        vpc_id: vpc-ctt6yag121
        v_switch_id: subnet-test
        security_group_id: sg-test
        az_info: {az_name: az1}
        tags: {team: web}
    wait: true
  register: team

- name: Use their IDs, in the order of the task
  ansible.builtin.debug:
    msg: "{{ team.image_caches | map(attribute='image_cache_id') }}"

- name: Prune all other image caches of the team, except the newest one
  ctyun.eci.image_caches:
    image_caches:
      - name: web
        images: ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest"]
        vpc_id: vpc-ctt6yag121
        v_switch_id: subnet-test
        security_group_id: sg-test
        az_info: {az_name: az1}
        tags: {team: web}
    wait: true
    prune: true
    prune_tags: {team: web}
    prune_keep: 1

- name: Delete image caches and wait until they are gone
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
    - One entry for each image cache of the task, in the order given. Each always has the same keys.
  returned: always
  type: list
  elements: dict
  contains:
    image_cache_name:
      description: The name of the image cache.
      returned: always
      type: str
      sample: web
    changed:
      description: Whether this task changed it.
      returned: always
      type: bool
    image_cache_id:
      description: Its ID. V(null) if there is none, and in check mode if one would be created.
      returned: always, null if there is none
      type: str
      sample: imc-7nh0dkpoaxepqyh2
    image_cache:
      description: The image cache, with the same keys as in M(ctyun.eci.image_cache).
      returned: always, null if there is none
      type: dict
    request_id:
      description: The request ID of the last request that changed it. V(null) if nothing was changed.
      returned: always, null if nothing was changed
      type: str
      sample: c8584614-daa4-475e-a8c3-113dc8f108c1
    drift:
      description: The differences that only a new image cache can remove, as in M(ctyun.eci.image_cache).
      returned: always
      type: list
      elements: dict
    failed:
      description: Whether it failed to reach the desired state.
      returned: always
      type: bool
    msg:
      description: The error. V(null) if there is none.
      returned: always, null if there is no error
      type: str
    failure:
      description: The details of the error, always with the same keys. V(null) if there is none.
      returned: always, null if there is no error
      type: dict
      contains:
        code:
          description: The code of the service.
          returned: always, null if the service gave none
          type: str
          sample: ECI.Openapi.StatusReasonQuotaExceed
        message:
          description: The message of the service, or of this module if there was no reply.
          returned: always
          type: str
        request_id:
          description: The request ID of the service, or else the one that was sent (C(ctyun-eop-request-id)).
          returned: always, null if no request was sent
          type: str
        http_status:
          description: The HTTP status.
          returned: always, null if no reply came
          type: int
          sample: 429
        operation:
          description: The operation of the API.
          returned: always, null if no request failed
          type: str
          sample: createImageCache
        effect:
          description:
            - Whether the request may have taken effect, in this attempt or an earlier one.
            - V(none) means certainly not, V(possible) that it may have. A request that only reads has no effect.
          returned: always
          type: str
          choices: [none, possible]
          sample: none
        attempts:
          description: The number of attempts to send the request.
          returned: always
          type: int
          sample: 1
    duplicates:
      description: The IDs of the younger image caches of the same name that were, or would be, deleted because of O(duplicates).
      returned: always
      type: list
      elements: str
    waited:
      description: The seconds that the task waited until this image cache was ready, or an old one was gone.
      returned: always
      type: float
pruned:
  description: One entry for each image cache that was, or would be, pruned, with the same keys.
  returned: always
  type: list
  elements: dict
kept:
  description: The image caches that could have been pruned, but were kept.
  returned: always
  type: list
  elements: dict
  contains:
    image_cache_name:
      description: The name of the image cache.
      returned: always
      type: str
      sample: web-41
    image_cache_id:
      description: Its ID.
      returned: always
      type: str
      sample: imc-7nh0dkpoaxepqyh2
    reason:
      description:
        - The reason why it was kept. V(prune_keep) and V(prune_grace) are the options.
        - V(failed), V(not_ready) and V(missing) mean that a wanted image cache has failed, is not ready yet, or is not listed any more.
        - V(tags_unknown) means that the service shows no tags.
        - V(release) means that it belongs to the role P(ctyun.eci.release#role), and O(prune_tags) has no key C(release).
      returned: always
      type: str
      choices: [prune_keep, prune_grace, not_ready, failed, missing, tags_unknown, release]
      sample: prune_grace
    until:
      description: The time until which it is kept, in UTC, if known.
      returned: always, null if that is not known
      type: str
      sample: "2026-11-25T12:00:00Z"
plan:
  description:
    - The number of changes, or of planned changes in check mode, and the sizes before and after. In diff mode, C(diff) has a line for
      each change.
  returned: always, null if the task failed before there was a plan
  type: dict
  contains:
    create:
      description: How many are created.
      returned: always
      type: int
    retag:
      description: How many get different tags.
      returned: always
      type: int
    replace:
      description: How many are replaced.
      returned: always
      type: int
    delete:
      description: How many are deleted because of O(state=absent) or O(duplicates).
      returned: always
      type: int
    prune:
      description: How many are pruned.
      returned: always
      type: int
    drift:
      description: How many differ from the task and are left as they are.
      returned: always
      type: int
    unchanged:
      description: How many are as the task describes them.
      returned: always
      type: int
    failed:
      description: How many failed to reach the desired state, or cannot reach it.
      returned: always
      type: int
    gb_before:
      description: The size of all image caches of the region before, in GB.
      returned: always
      type: int
    gb_after:
      description: Their size after, in GB.
      returned: always
      type: int
    quota_used:
      description: How many image caches of the quota were used before.
      returned: always, null without diff mode or if it could not be read
      type: int
    quota_limit:
      description: The quota of image caches.
      returned: always, null without diff mode or if it could not be read
      type: int
waited:
  description: The seconds that the task waited until image caches were ready, or gone.
  returned: always
  type: float
  sample: 92.5
ansible_facts:
  description: Facts for later tasks.
  returned: success
  type: dict
  contains:
    imageCacheIds:
      description:
        - The IDs of the image caches by their names, V(null) where check mode would create one.
        - A task that fails leaves the fact of an earlier task. In a C(rescue), use C(ansible_failed_result.image_caches).
      returned: success
      type: dict
      sample: {"web": "imc-7nh0dkpoaxepqyh2", "worker": "imc-oni57igbl0kp8t3x"}
failure:
  description: The C(failure) of the first entry that failed, or of the list request, always with the same keys.
  returned: always, null unless the task failed
  type: dict
  contains:
    code:
      description: The code of the service.
      returned: always, null if the service gave none
      type: str
      sample: ECI.Openapi.StatusReasonQuotaExceed
    message:
      description: The message of the service, or of this module if there was no reply.
      returned: always
      type: str
    request_id:
      description: The request ID of the service, or else the one that was sent (C(ctyun-eop-request-id)).
      returned: always, null if no request was sent
      type: str
    http_status:
      description: The HTTP status.
      returned: always, null if no reply came
      type: int
      sample: 429
    operation:
      description: The operation of the API.
      returned: always, null if no request failed
      type: str
      sample: createImageCache
    effect:
      description:
        - Whether the request may have taken effect, in this attempt or an earlier one.
        - V(none) means certainly not, V(possible) that it may have. A request that only reads has no effect.
      returned: always
      type: str
      choices: [none, possible]
      sample: none
    attempts:
      description: The number of attempts to send the request.
      returned: always
      type: int
      sample: 1
"""

from ansible_collections.ctyun.eci.plugins.module_utils._module import run_module
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_caches import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
