#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_cache_info
short_description: Read image caches of CTYun ECI
version_added: 1.0.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Lists the image caches of a region, either all or those that match every given filter. It reads all pages of the list.
  - The result is always a list. It is empty if there is no such image cache.
  - A filter that is given, but empty, is refused. It would list everything, and a loop over the result might delete everything.
options:
  image_cache_id:
    description:
      - Only the image cache with this ID.
      - It must not be empty, except in check mode, where an empty ID finds nothing. In check mode the ID of an image cache that an
        earlier task would have created is empty.
    type: str
    aliases: [imageCacheId]
  image_cache_name:
    description:
      - Only image caches with exactly this name.
      - It must not be empty, except in check mode, where an empty name finds nothing.
    type: str
    aliases: [imageCacheName, name]
  images:
    description:
      - Only image caches with these images. The list must not be empty.
      - The filter is the service's own, and CTYun does not say whether it matches all or any of them.
    type: list
    elements: str
  tags:
    description:
      - "Only image caches with these tags. A mapping is taken as well, for example V({team: web}). The list must not be empty, and
        each key may occur once."
      - The filter is the service's own, and CTYun does not say whether it matches all or any of them.
    type: list
    elements: dict
    suboptions:
      key:
        description: The key of the tag. Required in each.
        type: str
      value:
        description: The value of the tag. If it is not given, any value matches. It must not be empty.
        type: str
  events:
    description:
      - Whether to read the events of each image cache, too. This takes one more request for each image cache.
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
- name: Read all image caches of the region
  ctyun.eci.image_cache_info:
  register: caches

- name: Show which are ready
  ansible.builtin.debug:
    msg: "{{ caches.image_caches | selectattr('status', 'equalto', 'ready') | map(attribute='image_cache_name') }}"

- name: Read one image cache with its events
  ctyun.eci.image_cache_info:
    name: web
    events: true

- name: Read the image caches of a team
  ctyun.eci.image_cache_info:
    tags:
      - key: team
        value: web
"""

RETURN = r"""
image_caches:
  description:
    - The image caches, in the order of the service. Each always has the same keys. What the service does not return is
      V(null).
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
      sample: describeImageCaches
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_cache_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
