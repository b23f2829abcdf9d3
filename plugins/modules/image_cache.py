#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_cache
short_description: Keep an image cache of CTYun ECI in the state that a task describes
version_added: 1.0.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Creates, replaces or deletes an image cache of CTYun (天翼云) Elastic Container Instance (ECI), or changes its tags.
  - An image cache is a disk on which container images are already unpacked. A container group that starts from it does not
    have to pull them.
  - The options of the request body have the names of the API in snake_case. The API's own names are aliases, so a request
    body of CTYun's documentation can be pasted as the arguments of a task.
options:
  state:
    description:
      - Whether the image cache should exist.
    type: str
    choices: [present, absent]
    default: present
  image_cache_id:
    description:
      - The ID of an image cache that exists. It is needed only if several image caches have the same name.
      - If it is given, it must not be empty, except in check mode. A name that is given too is a condition, see the notes.
    type: str
    aliases: [imageCacheId]
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.body
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
  - All arguments are checked against the JSON Schema of the request before anything is sent. All mistakes are reported
    at once.
  - The service never returns the VPC, the subnet, the security group, the elastic IP, the retention and the registry
    credentials. They are used when an image cache is created, and cannot be compared with one that exists.
  - CTYun's documentation shows no tags in any reply. If the service shows none, this module uses the filter of the list to find
    out whether the wanted tags are there. Other tags can then neither be seen nor removed.
  - createImageCache orders a disk that is billed, and has no idempotency token. If its outcome is unknown, for example after a
    time-out, the name is listed several times before another request is sent, and an image cache that is found is used.
  - Tasks of one user on one machine with the same E(TMPDIR) take turns for a name, or for an ID if they give no name. One of
    them creates the image cache, and the others find it.
  - Tasks on different machines may each create an image cache of the same name at the same moment. A task that finds an older
    one that fits as well deletes the one that it has just created, uses the older one, and warns. After a task was killed there
    may be two. The next run reports both, and O(duplicates) can delete the younger.
  - If the service gives a new image cache another name, no later task would find it. It is deleted again, unless it
    replaces another one, and the task fails with the name to write.
  - If the service writes an image or a zone in its own way, that is a warning and no drift.
  - If O(image_cache_id) and O(image_cache_name) are both given, the ID selects the image cache. With O(state=present), a
    different name is drift. With O(state=absent), the name is a condition. If the image cache of that ID has another name, the
    task fails and nothing is deleted.
  - In check mode, an empty O(image_cache_id) stands for an image cache that an earlier task would have created, whose ID is not
    known yet. Nothing is asked of the service then. The image cache is predicted to exist without tags, so there is a change
    if O(tags) are given, or with O(state=absent). An ID that no image cache has is an error with O(state=present) in check
    mode, too.
seealso:
  - module: ctyun.eci.image_cache_info
  - module: ctyun.eci.region_info
  - module: ctyun.eci.quota_info
  - name: createImageCache
    description: CTYun's documentation of the request, in Chinese.
    link: https://www.ctyun.cn/document/10403805/10630018
"""

EXAMPLES = r"""
- name: Create an image cache
  ctyun.eci.image_cache:
    name: web
    images:
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest
    image_cache_size: 40
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info:
      az_name: az1
  register: web

- name: Use its ID
  ansible.builtin.debug:
    msg: "{{ web.image_cache_id }}"

- name: Give it tags and wait until it is ready
  ctyun.eci.image_cache:
    name: web
    images:
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest
    image_cache_size: 40
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info:
      az_name: az1
    tags:
      - key: team
        value: web
    wait: true
    wait_timeout: 600

- name: The request body of CTYun's documentation
  ctyun.eci.image_cache:
    securityGroupId: sg-test
    vSwitchId: subnet-test
    vpcId: vpc-test
    imageCacheName: lztest
    imageCacheSize: 40
    retentionDays: 30
    images: ["nginx:latest"]
    tags: [{key: user, value: eci}]
    azInfo: {azName: az1}
    imageRegistryCredentials:
      - server: chengdu1-az1.crs.ctyun.cn
        userName: hello
        password: "{{ registry_password }}"

- name: Replace an image cache that holds other images
  ctyun.eci.image_cache:
    name: web
    images:
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/agent:0.0.1
    image_cache_size: 40
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info:
      az_name: az1
    drift: recreate
  register: web

- name: Change only the tags of an image cache that exists
  ctyun.eci.image_cache:
    image_cache_id: "{{ web.image_cache_id }}"
    tags:
      - key: stage
        value: production
    purge_tags: false

- name: Delete an image cache and wait until it is gone
  ctyun.eci.image_cache:
    name: web
    state: absent
    wait: true
"""

RETURN = r"""
image_cache_id:
  description:
    - The ID of the image cache. With O(state=absent), that of the deleted one.
    - V(null) if there is none, and in check mode if one would be created.
  returned: always
  type: str
  sample: imc-7nh0dkpoaxepqyh2
image_cache:
  description:
    - The image cache as the service shows it. In check mode, or if it could not be read after its creation, what is known of it.
    - V(null) if there is none.
    - It always has the same keys. What the service does not return is V(null).
    - The field names are those of describeImageCaches in CTYun's API documentation of 2026-09-25, unless stated otherwise.
  returned: always
  type: dict
  contains:
    image_cache_id:
      description: The ID.
      returned: always, null in check mode if it would be created
      type: str
      sample: imc-7nh0dkpoaxepqyh2
    image_cache_name:
      description: The name.
      returned: always
      type: str
      sample: web
    images:
      description: The images.
      returned: always, null if the service does not return it
      type: list
      elements: str
      sample: ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest"]
    image_cache_size:
      description: The size in GB.
      returned: always, null if the service does not return it
      type: int
      sample: 40
    status:
      description: The status. CTYun lists no values; its examples show V(pending) and V(ready).
      returned: always, null if the service does not return it
      type: str
      sample: ready
    creation_time:
      description: When it was created, in ISO 8601, as UTC or with an offset.
      returned: always, null if the service does not return it
      type: str
      sample: "2025-03-11T11:35:09+08:00"
    az_name:
      description: The name of the zone.
      returned: always, null if the service does not return it
      type: str
      sample: az1
    tags:
      description: The tags, sorted. CTYun's Go SDK has them, its API documentation does not.
      returned: always, null if the service does not return it
      type: list
      elements: dict
      sample: [{"key": "team", "value": "web"}]
      contains:
        key:
          description: The key of the tag.
          returned: always
          type: str
        value:
          description: The value of the tag.
          returned: always
          type: str
    process:
      description: Known from CTYun's Go SDK only, without a description.
      returned: always, null if the service does not return it
      type: str
    resource_group_id:
      description: Known from CTYun's Go SDK only, without a description.
      returned: always, null if the service does not return it
      type: str
    expire_date_time:
      description: Known from CTYun's Go SDK only, without a description.
      returned: always, null if the service does not return it
      type: str
    last_matched_time:
      description: Known from CTYun's Go SDK only, without a description.
      returned: always, null if the service does not return it
      type: str
    events:
      description: The events, from describeImageCache. V(null) unless waiting ended with a failure.
      returned: always, null unless waiting ended with a failure
      type: list
      elements: dict
      contains:
        name:
          description: The name of the event.
          returned: if the service returns it
          type: str
        type:
          description: The type.
          returned: if the service returns it
          type: str
          sample: Normal
        message:
          description: What happened.
          returned: if the service returns it
          type: str
          sample: "[ImageCache] created"
        count:
          description: How often it happened.
          returned: if the service returns it
          type: int
        first_timestamp:
          description: When it was first seen.
          returned: if the service returns it
          type: str
        last_timestamp:
          description: When it was last seen.
          returned: if the service returns it
          type: str
request_id:
  description: The service's ID of the last request that changed something. V(null) if nothing was changed.
  returned: always
  type: str
  sample: c8584614-daa4-475e-a8c3-113dc8f108c1
drift:
  description: In what the image cache that was found differs from the task and cannot be changed.
  returned: always
  type: list
  elements: dict
  sample: [{"option": "image_cache_size", "wanted": 40, "found": 20}]
  contains:
    option:
      description: The option, or V(status).
      returned: always
      type: str
    wanted:
      description: What the task wants.
      returned: always
      type: raw
    found:
      description: What the service shows.
      returned: always
      type: raw
duplicates:
  description: The IDs of the younger image caches of the same name that were deleted because of O(duplicates), or would be.
  returned: always
  type: list
  elements: str
waited:
  description: For how many seconds the task waited for the image cache to be ready, or for an old one to be gone.
  returned: always
  type: float
  sample: 92.5
ansible_facts:
  description: A fact for later tasks, under the name of the API. The plain way is RV(image_cache_id) of a registered result.
  returned: success
  type: dict
  contains:
    imageCacheId:
      description:
        - The same as RV(image_cache_id).
        - V(null) with O(state=absent), so that no later task uses the ID of an image cache that is gone, and in check mode where an
          image cache would be created. With a fact cache the fact outlives the playbook.
        - If the task fails, the fact of an earlier task stays. In a C(rescue), use C(ansible_failed_result.image_cache_id).
      returned: success, null with O(state=absent) and where check mode would create one
      type: str
      sample: imc-7nh0dkpoaxepqyh2
failure:
  description: The error in a form for programs. It always has the same keys.
  returned: always, null unless the task failed
  type: dict
  contains:
    code:
      description: The code of the service.
      returned: always, null if the service gave none
      type: str
      sample: ECI.Openapi.StatusReasonQuotaExceed
    message:
      description: The message of the service, or that of this module if no reply came.
      returned: always
      type: str
    request_id:
      description: The service's ID of the request. If it gave none, the ID that was sent with the request (C(ctyun-eop-request-id)).
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
        - Whether the request can have taken effect, in this attempt or in an earlier one.
        - V(none) if it cannot have taken effect, V(possible) if it may have. A request that only reads has no effect.
      returned: always
      type: str
      choices: [none, possible]
      sample: none
    attempts:
      description: How many times the task sent the request, or tried to.
      returned: always
      type: int
      sample: 1
"""

from ansible_collections.ctyun.eci.plugins.module_utils._module import run_module
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_cache import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
