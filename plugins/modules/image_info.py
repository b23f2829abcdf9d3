#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: Check container images in their registries
version_added: 0.9.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Reads from the registry of each image whether it exists, whether the login may read it, and how large it is. Returns the size
    of an image cache that holds all of them.
  - It uses the OCI distribution API of the registries. It sends nothing to CTYun and needs no access key.
  - The task does not fail because of an image that does not exist or cannot be read. See RV(images[].outcome).
options:
  images:
    description:
      - The names of the images, with a tag or a digest. A name without a registry means Docker Hub, as it does for Docker.
    type: list
    elements: str
    required: true
  image_registry_credentials:
    description:
      - The logins for the registries. The most specific login that matches an image is tried first, then the others.
      - A login is sent only to its own registry and to the token service that this registry names.
    type: list
    elements: dict
    aliases: [imageRegistryCredentials]
    suboptions:
      server:
        description:
          - The address of the registry, without V(http://) or V(https://) in front. That of Docker Hub is V(docker.io).
          - With a path, such as V(quay.io/team), the login is used only for repositories below that path.
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
  concurrency:
    description:
      - The number of images that are checked at the same time, at most V(1000).
    type: int
    default: 8
  validate_certs:
    description:
      - Whether to validate the certificates of the registries. Turn this off for tests only, since requests contain
        passwords.
    type: bool
    default: true
  ca_path:
    description:
      - The file or directory with CA certificates to trust in addition to those in E(REQUESTS_CA_BUNDLE), in E(CURL_CA_BUNDLE), or
        of C(requests).
      - A relative path needs a local connection.
    type: path
  timeout:
    description:
      - The timeout in seconds for connecting, for each read, and for the whole body of the reply.
    type: float
    default: 30
  access_key:
    description: Not used. Accepted, since C(module_defaults) of the action group may set it.
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
    description:
      - How many times a failed request is repeated, at most V(1000). None is repeated more than a minute after the first attempt.
    type: int
    default: 5
  retry_max_delay:
    description:
      - The longest pause before a retry, in seconds.
    type: float
    default: 30
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
  - The proxy variables E(HTTPS_PROXY) and E(NO_PROXY) of the environment are used. C(~/.netrc) and Docker's configuration are not
    read.
  - Registries need https, except at a loopback address such as V(127.0.0.1:5000). Redirects are followed to https only, without a login.
  - Names of CTYun's registry for machines in a VPC, with C(registry-vpc-), are checked under their public names. See the guide
    R(Preflight,ansible_collections.ctyun.eci.docsite.preflight).
seealso:
  - module: ctyun.eci.image_cache
  - name: OCI distribution specification
    description: The API of registries.
    link: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

EXAMPLES = r"""
- name: Check two images
  ctyun.eci.image_info:
    images:
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest
      - nginx:1.29
    image_registry_credentials:
      - server: registry-vpc-crs-huadong1.ctyun.cn
        user_name: testuser
        password: "{{ vault_registry_password }}"
  register: found

- name: Fail unless all exist
  ansible.builtin.assert:
    that: found.images | rejectattr('outcome', 'equalto', 'found') | length == 0

- name: Create an image cache that is large enough
  ctyun.eci.image_cache:
    name: web
    images: "{{ found.images | map(attribute='image') }}"
    image_cache_size: "{{ found.image_cache_size }}"
    vpc_id: vpc-ctt6yag121
    v_switch_id: subnet-test
    security_group_id: sg-test
    az_info: {az_name: az1}
    image_registry_credentials:
      - server: registry-vpc-crs-huadong1.ctyun.cn
        user_name: testuser
        password: "{{ vault_registry_password }}"
"""

RETURN = r"""
images:
  description: The answers of the registries in the order of O(images), always with the same keys.
  returned: always, empty if the task failed
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
        - V(found) if the image exists for O(platform).
        - V(not_found) if the registry does not have it, not for this platform, or only as an artifact such as a Helm chart.
        - V(refused) if this login may not read it. Many registries answer the same for a repository that does not exist.
        - V(unknown) if the registry cannot be reached from here, is too slow, throttles, or returns something unexpected. CTYun may
          still be able to pull the image.
      returned: always
      type: str
      choices: [found, not_found, refused, unknown]
      sample: found
    digest:
      description: The digest of the manifest that the tag means. For an image of several platforms, that of its index.
      returned: always, null if it is not known
      type: str
      sample: sha256:1b50b4b3d7ac0dab6c4ea8a37fd94d28a3a5ba7b2e4e9f95a7d4a3e7f6a1c2d3
    platform_digest:
      description:
        - The digest of the manifest for O(platform). It does not change if only another platform is rebuilt.
      returned: always, null if the image was not found
      type: str
      sample: sha256:5d4a3e7f6a1c2d31b50b4b3d7ac0dab6c4ea8a37fd94d28a3a5ba7b2e4e9f95a
    pinned:
      description: The name of the image with its digest in place of the tag.
      returned: always, null if the image was not found
      type: str
      sample: nginx@sha256:1b50b4b3d7ac0dab6c4ea8a37fd94d28a3a5ba7b2e4e9f95a7d4a3e7f6a1c2d3
    reached:
      description: The registry and the repository that were read, see O(registry_addresses).
      returned: always, null if the name of the image is not valid
      type: str
      sample: registry-1.docker.io/library/nginx
    media_type:
      description: The media type of the manifest.
      returned: always, null if it is not known
      type: str
      sample: application/vnd.oci.image.index.v1+json
    platforms:
      description: The platforms of the image, empty if not known.
      returned: always
      type: list
      elements: str
      sample: [linux/amd64, linux/arm64]
    compressed_size:
      description: The compressed size in bytes of the layers for O(platform), each counted once.
      returned: always, null if it is not known
      type: int
      sample: 72000000
    message:
      description: The reason why it was not found.
      returned: always, null if the image was found
      type: str
      sample: registry-1.docker.io has no library/nginx:1.99. Check the name and the tag.
image_cache_size:
  description:
    - The size in GB (10^9 bytes) of an image cache for all of these images, O(size_factor) times their compressed layers, rounded up, and
      at least V(20). A layer that several images share counts once.
  returned: always, null if the task failed or not all images were found
  type: int
  sample: 20
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
