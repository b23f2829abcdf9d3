#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: api
short_description: Send one signed request to any operation of CTYun ECI
version_added: 1.0.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Calls an operation of ECI that has no module of its own, such as those on container groups. The request is signed, and the body is
    the one of CTYun's page.
  - The task knows nothing about the operation. It sends what it is given, does not compare it with what exists, and returns the
    C(returnObj) of the reply.
  - An operation that changes something is sent once, since the task cannot know whether a second request would do it twice.
    RV(failure.effect) says whether a request that failed may have taken effect. One that only reads is repeated as O(retries) says.
  - For image caches use M(ctyun.eci.image_cache), which does all that is left out here.
options:
  operation:
    description:
      - The path of the operation below C(/eci/api/v1/), as CTYun's page shows it. Where it ends in an ID, the ID is a part of it,
        such as V(containers/deleteContainerGroup/eci-opfp9zezv9dqygzu).
      - Letters, digits, V(-) and V(_) between single slashes. Anything else is refused, a host, C(..) and a query included.
    type: str
    required: true
  method:
    description: The HTTP method, as CTYun's page shows it.
    type: str
    choices: [get, post, put, delete]
    default: post
  body:
    description:
      - The request body under the names of the API. It is sent as it is. Names are not converted, and a number stays a number.
      - Before ansible-core 2.19 a template makes a text of a number. There, let one template make the mapping that holds it, such as
        C("{{ dict(cpu=cpu | int) }}").
      - If it is not given, a V(post) sends an empty mapping, and the other methods send none.
    type: dict
  query:
    description: What the address has behind the question mark. Each value is a text, a number, true or false.
    type: dict
  changes:
    description:
      - Whether the operation changes something.
      - If it is not given, an operation is taken as one that only reads if its name begins with C(describe), C(list), C(get) or
        C(query) and O(method) is V(get) or V(post). The name is the second part of O(operation), or the only one.
      - Say V(false) only if the operation certainly changes nothing. It is then repeated, and sent in check mode.
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
  - In the invocation in the result, what stands under a key with C(password), C(credential), C(secret), C(token), C(accessKey) or
    C(kubeConfig) in it is hidden, at any depth. So is the C(value) of a pair, such as an environment variable, whose C(key) or
    C(name) has such a word in it.
    These values are redacted in messages and in RV(response) as well. Other secrets, such as those in a C(ConfigFileVolume), need C(no_log).
  - What the service returns of an object that exists, such as the environment variables of its containers, is in the result. Use
    C(no_log) if that holds secrets.
  - Lists of more than a page end with a C(nextToken) that is not empty. Give it in O(body) for the next page.
seealso:
  - module: ctyun.eci.image_cache
  - name: createContainerGroup
    description: CTYun's page on the operation, among the others of ECI.
    link: https://eop.ctyun.cn/ebp/ctapiDocument/search?sid=149&vid=281&data=202&api=13221&isNormal=1
"""

EXAMPLES = r"""
- name: An image cache
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

- name: A container group that starts from it
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

- name: Delete it
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
  description: The service's ID of the request.
  returned: always, null if the service gave none, nothing was sent, or the task failed
  type: str
  sample: a4f0f36e-7e75-4045-a73a-a2507b26
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
      sample: region
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.api import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
