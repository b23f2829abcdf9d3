#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: Look at images in their registries before they are cached
version_added: 1.0.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Asks the registry of each image whether it is there, whether the login is right, and how large it is.
  - Tells the size of an image cache that is enough for all of them.
  - Nothing is sent to CTYun's API, and none of its credentials are needed. It is the registries that are asked, by the OCI
    distribution API, from where the module runs.
  - An image that is not there, or that cannot be looked at, is no failure. See RV(images[].outcome).
options:
  images:
    description:
      - The names of the images, with a tag or a digest, as O(ctyun.eci.image_cache#module:images) takes them.
      - A name without a registry is one of Docker Hub, as it is for Docker. V(nginx) is V(docker.io/library/nginx:latest).
    type: list
    elements: str
    required: true
  image_registry_credentials:
    description:
      - Logins of the registries, as O(ctyun.eci.image_cache#module:image_registry_credentials) takes them. If there are
        several for a registry, the first one counts.
      - A login is sent to its own registry, and to the token service that this registry names, and only over TLS.
        Registries on the machine itself may be without TLS.
    type: list
    elements: dict
    aliases: [imageRegistryCredentials]
    suboptions:
      server:
        description:
          - The address of the registry, without V(http://) or V(https://) in front. That of Docker Hub is V(docker.io).
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
  platform:
    description:
      - The platform whose layers are counted, an operating system and an architecture, and a variant if need be.
      - CTYun does not say which platforms ECI has. The default is the one that its examples and nearly all images are for.
      - An image that is there but not for this platform counts as not found.
    type: str
    default: linux/amd64
  concurrency:
    description:
      - How many images are looked at at the same time, V(1000) at most.
    type: int
    default: 8
  validate_certs:
    description:
      - Whether the certificates of the registries must be valid. Turn this off for tests only, since passwords travel in the
        requests.
    type: bool
    default: true
  ca_path:
    description:
      - A file or directory with the certificates of authorities to trust, instead of the ones that are built in.
      - A relative path is looked for as Ansible finds files, in C(files) of the role and beside the playbook. That takes
        a local connection; for other hosts give the absolute path that it has there.
    type: path
  timeout:
    description:
      - Seconds for one request to a registry, from the connection to the end of the reply, V(2678400) (31 days) at most.
    type: float
    default: 30
  access_key:
    description: Not used. Like the five that follow it is taken since C(module_defaults) of the action group may give it.
    type: str
  secret_key:
    description: Not used.
    type: str
  region_id:
    description: Not used.
    type: str
  endpoint:
    description: Not used.
    type: str
  retries:
    description: Not used. Nothing is asked for twice.
    type: int
  retry_max_delay:
    description: Not used.
    type: float
extends_documentation_fragment:
  - ctyun.eci.attributes
  - ctyun.eci.registry
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
requirements:
  - requests >= 2.25
  - jsonschema >= 4.0
notes:
  - The proxy variables of the environment (E(HTTPS_PROXY), E(NO_PROXY)) are respected. C(~/.netrc) and Docker's own
    configuration are not read.
  - Registries speak https. One at a loopback address, such as V(127.0.0.1:5000), may speak plain http; no proxy is used then.
  - Redirects are followed to https only, at most three, and without any login.
seealso:
  - module: ctyun.eci.image_cache
  - name: OCI distribution specification
    description: What registries are asked by.
    link: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

EXAMPLES = r"""
- name: Look at two images before they are cached
  ctyun.eci.image_info:
    images:
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest
      - nginx:1.29
    image_registry_credentials:
      - server: registry-vpc-crs-huadong1.ctyun.cn
        user_name: testuser
        password: "{{ registry_password }}"
    registry_addresses:
      registry-vpc-crs-huadong1.ctyun.cn: registry-crs-huadong1.ctyun.cn
  register: looked

- name: Go on only if all are there
  ansible.builtin.assert:
    that: looked.images | rejectattr('outcome', 'equalto', 'found') | length == 0

- name: Cache them in a size that is enough
  ctyun.eci.image_cache:
    name: web
    images: "{{ looked.images | map(attribute='image') }}"
    image_cache_size: "{{ looked.image_cache_size }}"
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info:
      az_name: az1
    image_registry_credentials:
      - server: registry-vpc-crs-huadong1.ctyun.cn
        user_name: testuser
        password: "{{ registry_password }}"
"""

RETURN = r"""
images:
  description: What the registries say, in the order of O(images). Each entry has always the same keys.
  returned: success
  type: list
  elements: dict
  contains:
    image:
      description: The name of the image, as it was given.
      returned: always
      type: str
      sample: nginx:1.29
    outcome:
      description:
        - V(found) if the image is there, for the platform that was asked for.
        - V(not_found) if the registry does not have it, or not for this platform.
        - V(refused) if the registry does not let this login read it. Many answer the same for a repository that is not there.
        - V(unreachable) if nothing is known of it. The registry cannot be reached from here, takes too long, is out of order,
          has had too many requests, or is none. That says nothing about whether CTYun reaches it.
      returned: always
      type: str
      choices: [found, not_found, refused, unreachable]
      sample: found
    digest:
      description: The digest of what the name stands for, computed from it. For an image of several platforms, that of its index.
      returned: always, null if it is not known
      type: str
      sample: sha256:1b50b4b3d7ac0dab6c4ea8a37fd94d28a3a5ba7b2e4e9f95a7d4a3e7f6a1c2d3
    media_type:
      description: The media type of that.
      returned: always, null if it is not known
      type: str
      sample: application/vnd.oci.image.index.v1+json
    platforms:
      description: The platforms that the image is for. Empty if they are not known.
      returned: always
      type: list
      elements: str
      sample: [linux/amd64, linux/arm64]
    compressed_size:
      description: The packed size in bytes of the layers for O(platform), each counted once. V(null) if it is not known.
      returned: always, null if it is not known
      type: int
      sample: 72000000
    message:
      description: What is the matter, for people. V(null) if the image was found.
      returned: always, null if the image was found
      type: str
      sample: registry-1.docker.io has no library/nginx:1.99. Check the name and the tag.
image_cache_size:
  description:
    - The size in GB (10^9 bytes) of an image cache that is enough for all of these images. O(size_factor) times their packed
      layers, those that several share counted once, rounded up, and V(20) at least.
    - V(null) if not all of them were found.
  returned: success
  type: int
  sample: 20
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
