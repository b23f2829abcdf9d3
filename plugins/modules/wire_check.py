#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: wire_check
short_description: Find out how CTYun ECI really behaves
version_added: 1.0.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Much of how CTYun's API of image caches behaves is not documented, and this collection was made without an account. This
    module asks the service itself, for one region, and compares what it sees with what is documented.
  - It only reads, unless O(create=true). Then it also makes one image cache under a name of its own, looks at it, gives it
    other tags, and deletes it again.
  - The report that it returns holds nothing but the answers that are listed in it. No ID, name, key or address can be in it.
options:
  create:
    description:
      - Whether to make an image cache, to see what cannot be seen otherwise. B(It is billed) from its order to its deletion.
      - It is deleted whatever happens. If that fails, the error names it. It is ordered with a retention of one day, so that the
        service deletes it then if nothing else could.
      - In check mode none is made, and RV(order) tells what would be ordered.
    type: bool
    default: false
  twin:
    description:
      - Whether to order a second one of the same name, to see whether the service refuses that. If it does not, that one is billed
        as well, and deleted.
      - Only with O(create=true).
    type: bool
    default: false
  image_cache_size:
    description:
      - The size of the image cache in GB. V(10) if it is not given, the smallest that is known to have become ready.
    type: int
    aliases: [imageCacheSize]
  security_group_id:
    description:
      - The ID of the security group.
      - Required with O(create=true).
    type: str
    aliases: [securityGroupId]
  v_switch_id:
    description:
      - The ID of the subnet.
      - Required with O(create=true).
    type: str
    aliases: [vSwitchId, subnet_id]
  az_info:
    description:
      - The availability zone.
      - Required with O(create=true).
    type: dict
    aliases: [azInfo]
    suboptions:
      az_name:
        description:
          - The name of the zone. The module M(ctyun.eci.region_info) lists the zones of the region.
        type: str
        required: true
        aliases: [azName]
  image_registry_credentials:
    description:
      - Logins of the registries that the images come from.
    type: list
    elements: dict
    aliases: [imageRegistryCredentials]
    suboptions:
      server:
        description:
          - The address of the registry, without V(http://) or V(https://) in front.
        type: str
        required: true
      user_name:
        description: The name of the user.
        type: str
        required: true
        aliases: [userName]
      password:
        description: The password of the user.
        type: str
        required: true
  images:
    description:
      - The images that the cache holds, at least one. A small one will do.
      - Required with O(create=true).
    type: list
    elements: str
  eip:
    description:
      - An elastic IP. Images from the internet need one, or a NAT gateway.
    type: dict
    suboptions:
      eip_instance_id:
        description: The ID of the elastic IP.
        type: str
        required: true
        aliases: [eipInstanceId]
  vpc_id:
    description:
      - The ID of the VPC.
      - Required with O(create=true).
    type: str
    aliases: [vpcId]
  wait_timeout:
    description:
      - For how many seconds to wait at most until the image cache is ready, and again until it is gone.
      - One that is not ready by then is told in a warning. One that is not gone is an error. V(2678400) (31 days) at most.
    type: float
    default: 1800
  wait_interval:
    description:
      - The seconds between the first two looks. The pauses grow to six times that. V(2678400) (31 days) at most.
    type: float
    default: 5
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.connection
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: What it changes it undoes.
  idempotent:
    support: N/A
    details: Each time with O(create=true) it makes an image cache and deletes it.
notes:
  - It sends about twenty requests that read, and as many again with O(create=true), at the pace of the service. Wrong keys, requests
    above the rate, and whatever else could get an account blocked are not tried.
  - A process that is killed (SIGKILL) can delete nothing. What it made is deleted by the service after a day, and the next check warns
    of it.
seealso:
  - module: ctyun.eci.image_cache
  - module: ctyun.eci.image_cache_info
"""

EXAMPLES = r"""
- name: Look at the service without changing anything
  ctyun.eci.wire_check:
  register: check

- name: Show what is documented and what was seen
  ansible.builtin.debug:
    msg: "{{ check.comparison | reject('search', 'Not seen') }}"

- name: Look also at an image cache that is made for it, billed, and deleted again
  ctyun.eci.wire_check:
    create: true
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info:
      az_name: az1
    images:
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest
  register: check
"""

RETURN = r"""
order:
  description: What was ordered, or would be in check mode. V(null) without O(create=true).
  returned: always
  type: dict
  contains:
    number:
      description: How many image caches at most, V(2) with O(twin=true).
      returned: always
      type: int
      sample: 1
    image_cache_size:
      description: The size of each in GB.
      returned: always
      type: int
      sample: 10
    retention_days:
      description: After how many days the service deletes it by itself.
      returned: always
      type: int
      sample: 1
    az_name:
      description: The name of the zone.
      returned: always
      type: str
      sample: az1
    images:
      description: The images.
      returned: always
      type: list
      elements: str
      sample: ["registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest"]
report:
  description:
    - What the playbook C(ctyun.eci.wire_check) writes to a file, and what the emulator of this collection takes to behave like that.
    - RV(report.habits) has an answer for each question. V(null) stands for what was not seen, V(other) for an answer that is
      not on the list.
  returned: always
  type: dict
  sample: {"wire_report": 1, "created": false, "habits": {"name_match": "exact", "tags_shown": null}}
  contains:
    wire_report:
      description: The version of the form of the report.
      returned: always
      type: int
      sample: 1
    created:
      description: Whether an image cache was made for it.
      returned: always
      type: bool
    habits:
      description: The answers by the name of the habit.
      returned: always
      type: dict
comparison:
  description: For each question a line with what is documented and what was seen.
  returned: always
  type: list
  elements: str
  sample: ["unique_names: Is a name unique? Documented: nothing. Seen: no."]
failure:
  description: The error in a form for programs. It always has the same keys.
  returned: failure, unless the arguments are wrong
  type: dict
  contains:
    code:
      description: The code of the service.
      returned: always, null if the service told none
      type: str
      sample: ECI.Openapi.StatusReasonQuotaExceed
    message:
      description: The message of the service, or that of this module if no reply came.
      returned: always
      type: str
    request_id:
      description: The service's ID of the request. If it told none, the ID that was sent with the request (C(ctyun-eop-request-id)).
      returned: always, null if no request failed
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.wire_check import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
