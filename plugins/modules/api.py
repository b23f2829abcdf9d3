#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: api
short_description: Call any operation of the CTYun ECI API
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Sends one signed request to an operation of ECI that has no module of its own, such as those on container groups, and returns the
    C(returnObj) of the reply.
  - The body is sent as it is, and nothing is compared with what exists. For image caches use M(ctyun.eci.image_cache).
  - A request that changes something is sent once, since a second one might change it twice. RV(failure.effect) says whether one that
    failed may have taken effect. A request that only reads is repeated, see O(retries).
options:
  operation:
    description:
      - The path of the operation below C(/eci/api/v1/), such as V(containers/createContainerGroup) or
        V(containers/deleteContainerGroup/eci-opfp9zezv9dqygzu).
    type: str
    required: true
  method:
    description: The HTTP method of the operation.
    type: str
    choices: [get, post, put, delete]
    default: post
  body:
    description:
      - The request body under the names of the API, sent as it is. If not given, a V(post) sends an empty mapping.
      - Before ansible-core 2.19, numbers from variables need one template around the mapping, such as C("{{ dict(cpu=cpu | int) }}").
    type: dict
  query:
    description: The query parameters, each a string, a number or a boolean.
    type: dict
  changes:
    description:
      - Whether the operation changes something. With V(false), it is repeated after a failure, and sent in check mode.
      - If not given, only a V(get) or V(post) whose name begins with C(describe), C(list), C(get) or C(query) counts as V(false).
    type: bool
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.connection
attributes:
  check_mode:
    support: full
    details: Sends only what reads. For a change the result is changed, and RV(response) is null.
  diff_mode:
    support: none
    details: What an operation changes is not known.
  idempotent:
    support: none
    details: An operation that changes something does so each time.
notes:
  - Values of O(body) under keys such as C(password), C(credential), C(secret), C(token), C(accessKey) or C(kubeConfig), and of
    environment variables with such names, are hidden in the result and in messages. Use C(no_log) for other secrets, and if the
    service returns secrets.
  - A list of several pages returns a C(nextToken) that is not empty. Give it in O(body) to get the next page.
seealso:
  - module: ctyun.eci.image_cache
  - name: createContainerGroup
    description: CTYun's page on the operation, among the others of ECI.
    link: https://eop.ctyun.cn/ebp/ctapiDocument/search?sid=149&vid=281&data=202&api=13221&isNormal=1
"""

EXAMPLES = r"""
- name: Create an image cache
  ctyun.eci.image_cache:
    name: web
    images: ["nginx:latest"]
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info: {az_name: az1}
    wait: true
    wait_interval: 1
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
          image: nginx:latest
          imagePullPolicy: IfNotPresent
  register: group

- name: Wait until it runs
  ctyun.eci.api:
    operation: containers/describeContainerGroups
    body:
      containerGroupIds: "{{ group.response.containerGroupId }}"
  register: found
  until: found.response.containerGroups[0].status == "Running"
  retries: 60
  delay: 2

- name: Delete the container group
  ctyun.eci.api:
    operation: "containers/deleteContainerGroup/{{ group.response.containerGroupId }}"
    method: delete
"""

RETURN = r"""
response:
  description:
    - The C(returnObj) of the reply, as the service returned it. Empty if the reply has none.
  returned: always, null if the task failed, and in check mode for a change
  type: dict
  sample: {"requestId": "a4f0f36e-7e75-4045-a73a-a2507b26", "containerGroupId": "eci-opfp9zezv9dqygzu"}
request_id:
  description: The request ID of the service.
  returned: always, null if the service gave none, nothing was sent, or the task failed
  type: str
  sample: a4f0f36e-7e75-4045-a73a-a2507b26
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
      sample: region
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.api import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
