#!/usr/bin/python
# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: image_info
short_description: Check images in their registries before they are cached
version_added: 1.0.0
author: ctyun.eci contributors (!UNKNOWN)
description:
  - Reads from the registry of each image whether it exists, whether the login may read it, and how large it is. Returns the size
    of an image cache that is enough for all of them.
  - It uses the OCI distribution API of the registries, from where the module runs. It sends nothing to CTYun's API, and needs none
    of its credentials.
  - The task does not fail because of an image that does not exist or cannot be read. See RV(images[].outcome).
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
      - Logins of the registries, as O(ctyun.eci.image_cache#module:image_registry_credentials) takes them. The most specific
        one for an image is tried first, then the others that match.
      - A login is sent to its own registry, and to the token service that this registry names, and only over TLS.
        Registries on the machine itself may be without TLS.
    type: list
    elements: dict
    aliases: [imageRegistryCredentials]
    suboptions:
      server:
        description:
          - The address of the registry, without V(http://) or V(https://) in front. That of Docker Hub is V(docker.io).
          - It may have a path, such as V(quay.io/team). The login is then used for repositories below that path only.
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
      - How many images are checked at the same time, V(1000) at most.
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
      - A file or directory with the certificates of authorities to trust in addition to the built-in ones. The latter are in the
        file that the environment variable E(REQUESTS_CA_BUNDLE) or else E(CURL_CA_BUNDLE) names, or come with C(requests).
      - A relative path is searched for where Ansible searches for files, in C(files) of the role and beside the playbook. This
        works with a local connection only. For other hosts, give the absolute path on that host.
    type: path
  timeout:
    description:
      - How many seconds connecting to a registry may take, each wait for its reply, and the whole body of the reply. At most
        V(2678400) (31 days).
    type: float
    default: 30
  access_key:
    description: Not used. It is accepted, as the three that follow, since C(module_defaults) of the action group may give it.
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
      - How often a request is repeated after a passing failure, V(1000) times at most. No request is repeated later than a minute
        after the first one.
    type: int
    default: 5
  retry_max_delay:
    description:
      - The longest pause between two attempts, in seconds. At most V(2678400) (31 days).
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
  - Registries need https. One at a loopback address, such as V(127.0.0.1:5000), may have plain http; no proxy is used then.
  - Redirects are followed to https only, at most three, and without any login.
seealso:
  - module: ctyun.eci.image_cache
  - name: OCI distribution specification
    description: The API of registries.
    link: https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

EXAMPLES = r"""
- name: Check two images before they are cached
  ctyun.eci.image_info:
    images:
      - registry-vpc-crs-huadong1.ctyun.cn/x-eci/base:latest
      - nginx:1.29
    image_registry_credentials:
      - server: registry-vpc-crs-huadong1.ctyun.cn
        user_name: testuser
        password: "{{ registry_password }}"
  register: found

- name: Go on only if all are there
  ansible.builtin.assert:
    that: found.images | rejectattr('outcome', 'equalto', 'found') | length == 0

- name: Cache them in a size that is enough
  ctyun.eci.image_cache:
    name: web
    images: "{{ found.images | map(attribute='image') }}"
    image_cache_size: "{{ found.image_cache_size }}"
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
  description: The answers of the registries, in the order of O(images). Each entry always has the same keys.
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
        - V(not_found) if the registry does not have it, or not for this platform, or if it is no image but an artifact, such as
          a Helm chart.
        - V(refused) if the registry does not let this login read it. Many registries answer the same for a repository that does
          not exist.
        - V(unknown) if nothing is known. The registry cannot be reached from here, takes too long, is out of order, has had
          too many requests, is not a registry, or returned what is not understood. CTYun may pull the image nevertheless.
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
        - The digest of the manifest for O(platform). It stays the same where only the image of another platform is rebuilt.
      returned: always, null if the image was not found
      type: str
      sample: sha256:5d4a3e7f6a1c2d31b50b4b3d7ac0dab6c4ea8a37fd94d28a3a5ba7b2e4e9f95a
    pinned:
      description: The name of the image with its C(digest) in place of the tag.
      returned: always, null if the image was not found
      type: str
      sample: nginx@sha256:1b50b4b3d7ac0dab6c4ea8a37fd94d28a3a5ba7b2e4e9f95a7d4a3e7f6a1c2d3
    reached:
      description: The registry and the repository that were asked, see O(registry_addresses).
      returned: always, null if the name of the image is not valid
      type: str
      sample: registry-1.docker.io/library/nginx
    media_type:
      description: The media type of the manifest.
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
      description: Why it was not found. V(null) if it was found.
      returned: always, null if the image was found
      type: str
      sample: registry-1.docker.io has no library/nginx:1.99. Check the name and the tag.
image_cache_size:
  description:
    - The size in GB (10^9 bytes) of an image cache that is enough for all of these images. It is O(size_factor) times their packed
      layers, rounded up, and V(20) at least. A layer that several images share counts once.
    - V(null) if not all of them were found.
  returned: always, null if the task failed or the size is not known
  type: int
  sample: 20
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
from ansible_collections.ctyun.eci.plugins.module_utils._tasks.image_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
