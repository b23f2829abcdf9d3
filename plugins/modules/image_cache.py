#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_cache
short_description: Manage image caches of CTYun ECI
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Creates, replaces or deletes an image cache of CTYun (天翼云) Elastic Container Instance (ECI), or changes its tags.
  - An image cache is a disk on which container images are already unpacked. A container group that starts from it does not
    have to pull them.
  - The options have the names of the API in snake_case. The API's own names are aliases, so a request body from CTYun's
    documentation can be pasted as the arguments of a task.
options:
  state:
    description:
      - Whether the image cache should exist.
    type: str
    choices: [present, absent]
    default: present
  image_cache_id:
    description:
      - The ID of an existing image cache, needed only if several have the same name. It may be empty in check mode only.
      - If a name is given as well, another name is drift, or an error with O(state=absent).
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
  - The service does not return the VPC, the subnet, the security group, the elastic IP, the retention and the registry
    credentials. They are used to create an image cache, and are not compared with an existing one.
  - createImageCache orders a disk that is billed, and has no idempotency token. Before it is sent again, the name is listed, and an
    image cache that is found is used. See the guide R(Reliability,ansible_collections.ctyun.eci.docsite.reliability).
seealso:
  - module: ctyun.eci.image_caches
  - module: ctyun.eci.image_cache_info
  - module: ctyun.eci.image_info
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
    images: ["nginx:1.29"]
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info: {az_name: az1}

- name: Create one with images of a private registry, and wait until it is ready
  ctyun.eci.image_cache:
    name: app
    images:
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/agent:0.0.1
    image_cache_size: 40
    image_registry_credentials:
      - server: registry-vpc-crs-huadong1.ctyun.cn
        user_name: testuser
        password: "{{ vault_registry_password }}" # encrypted with Ansible Vault
    retention_days: 30
    tags: {team: web}
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info: {az_name: az1}
    wait: true

- name: Create several in a loop (image_caches creates them in parallel)
  ctyun.eci.image_cache:
    name: "{{ item.name }}"
    images: ["{{ item.image }}"]
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info: {az_name: az1}
  loop:
    - {name: api, image: "nginx:1.28"}
    - {name: jobs, image: "python:3.13"}
  loop_control:
    label: "{{ item.name }}"

- name: Check images, registry credentials, size, zone and quota before the image cache is created
  ctyun.eci.image_cache:
    name: checked
    images: ["nginx:1.29"]
    image_cache_size: 20
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info: {az_name: az1}
    preflight: fail

- name: Recreate an image cache whose images differ
  ctyun.eci.image_cache:
    name: web
    images: ["nginx:1.29", "registry-vpc-crs-huadong1.ctyun.cn/x-eci/agent:0.0.1"]
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info: {az_name: az1}
    drift: recreate
    wait: true
  register: web

- name: Start a container group from it
  ctyun.eci.api:
    operation: containers/createContainerGroup
    body:
      containerGroupName: web
      imageCacheId: "{{ web.image_cache_id }}"
      azInfo: [{azName: az1}]
      vpcId: vpc-ctt6yag121
      vSwitchId: subnet-test
      securityGroupId: sg-test
      restartPolicy: Always
      containers:
        - name: web
          image: nginx:1.29
          imagePullPolicy: IfNotPresent

- name: Add a tag to an existing image cache
  ctyun.eci.image_cache:
    image_cache_id: "{{ web.image_cache_id }}"
    tags: {stage: production}
    purge_tags: false

- name: Paste a request body from CTYun's documentation
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
        password: "{{ vault_registry_password }}"

- name: Delete an image cache
  ctyun.eci.image_cache:
    name: web
    state: absent
"""

RETURN = r"""
image_cache_id:
  description:
    - The ID of the image cache, with O(state=absent) that of the deleted one. V(null) if there is none, and in check mode if one would
      be created.
  returned: always
  type: str
  sample: imc-7nh0dkpoaxepqyh2
image_cache:
  description:
    - The image cache as the service returns it, always with the same keys. V(null) if there is none.
    - In check mode, or if it could not be read after its creation, what the task knows about it.
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
      description: The time of creation in ISO 8601, in UTC or with an offset.
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
          description: How many times it happened.
          returned: if the service returns it
          type: int
        first_timestamp:
          description: The time when it was first seen.
          returned: if the service returns it
          type: str
        last_timestamp:
          description: The time when it was last seen.
          returned: if the service returns it
          type: str
request_id:
  description: The request ID of the last request that changed something. V(null) if nothing was changed.
  returned: always
  type: str
  sample: c8584614-daa4-475e-a8c3-113dc8f108c1
drift:
  description: The differences between the image cache and the task that only a new image cache can remove.
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
  description: The IDs of the younger image caches of the same name that were, or would be, deleted because of O(duplicates).
  returned: always
  type: list
  elements: str
waited:
  description: The seconds that the task waited until the image cache was ready, or an old one was gone.
  returned: always
  type: float
  sample: 92.5
ansible_facts:
  description: A fact under the name of the API. Prefer RV(image_cache_id) of a registered result.
  returned: success
  type: dict
  contains:
    imageCacheId:
      description:
        - The same as RV(image_cache_id), but V(null) with O(state=absent).
        - A task that fails leaves the fact of an earlier task. In a C(rescue), use C(ansible_failed_result.image_cache_id).
      returned: success, null with O(state=absent) and where check mode would create one
      type: str
      sample: imc-7nh0dkpoaxepqyh2
failure:
  description: The details of the error, always with the same keys.
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_cache import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
