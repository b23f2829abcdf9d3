#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_cache_info
short_description: Gather information about image caches of CTYun ECI
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Lists the image caches of a region, all of them or those that match every given filter.
  - The result is a list, empty if nothing matches. An empty filter is refused, since it would list all, and a loop that deletes what
    is found would delete all.
options:
  image_cache_id:
    description:
      - Only the image cache with this ID. Check mode accepts an empty ID, which matches nothing.
    type: str
    aliases: [imageCacheId]
  image_cache_name:
    description:
      - Only image caches with exactly this name. Check mode accepts an empty name, which matches nothing.
    type: str
    aliases: [imageCacheName, name]
  images:
    description:
      - Only image caches with these images, at least one. CTYun does not document whether the filter matches all or any of them.
    type: list
    elements: str
  tags:
    description:
      - "Only image caches with these tags, each key once. A mapping such as V({team: web}) is accepted as well."
      - CTYun does not document whether the filter matches all or any of them.
    type: list
    elements: dict
    suboptions:
      key:
        description: The key of the tag. Required for each tag.
        type: str
      value:
        description: The value of the tag. If it is not given, any value matches.
        type: str
  events:
    description:
      - Whether to read the events of each image cache, too, with one more request for each.
    type: bool
    default: false
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.connection
attributes:
  check_mode:
    support: full
    details: Changes nothing in any mode.
  diff_mode:
    support: N/A
    details: Changes nothing.
  idempotent:
    support: full
    details: Changes nothing.
seealso:
  - module: ctyun.eci.image_cache
"""

EXAMPLES = r"""
- name: List all image caches of the region
  ctyun.eci.image_cache_info:
  register: caches

- name: Show the names of those that are ready
  ansible.builtin.debug:
    msg: "{{ caches.image_caches | selectattr('status', 'equalto', 'ready') | map(attribute='image_cache_name') }}"

- name: Get one image cache with its events
  ctyun.eci.image_cache_info:
    name: web
    events: true

- name: List the image caches of a team
  ctyun.eci.image_cache_info:
    tags: {team: web}
"""

RETURN = r"""
image_caches:
  description:
    - The image caches in the order of the service, always with the same keys.
    - The field names are those of describeImageCaches in CTYun's API documentation of 2026-09-25, unless stated otherwise.
  returned: always, empty if the task failed
  type: list
  elements: dict
  contains:
    image_cache_id:
      description: The ID.
      returned: always
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
      description: The events, from describeImageCache. V(null) without O(events=true).
      returned: always, null unless O(events=true)
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
      sample: describeImageCaches
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_cache_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
