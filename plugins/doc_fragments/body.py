# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

# Two literal blocks, though the second repeats the first: editors read them without running them. A test compares them.


class ModuleDocFragment:
    # One image cache: its fields are options.
    DOCUMENTATION = r"""
options:

  image_cache_name:
    description:
      - The name of the image cache, by which an existing one is found. Required, unless an ID selects one.
    type: str
    aliases: [imageCacheName, name]
  image_cache_size:
    description:
      - The size of the image cache in GB. The service takes 20 if it is not given.
    type: int
    aliases: [imageCacheSize]
  retention_days:
    description:
      - The number of days for which the image cache is kept, at most V(3650). If it is V(0) or not given, it is kept forever.
    type: int
    aliases: [retentionDays]
  tags:
    description:
      - "The tags of the image cache, each key once. A mapping such as V({team: web}) is accepted as well."
      - If not given, the tags stay as they are. An empty list removes those that the service shows.
    type: list
    elements: dict
    suboptions:
      key:
        description: The key of the tag.
        type: str
      value:
        description: The value of the tag.
        type: str
  security_group_id:
    description:
      - The ID of the security group. Required to create an image cache.
    type: str
    aliases: [securityGroupId]
  v_switch_id:
    description:
      - The ID of the subnet. Required to create an image cache.
    type: str
    aliases: [vSwitchId, subnet_id]
  az_info:
    description:
      - The availability zone. Required to create an image cache.
    type: dict
    aliases: [azInfo]
    suboptions:
      az_name:
        description:
          - The name of the zone, one of those that M(ctyun.eci.region_info) lists.
        type: str
        required: true
        aliases: [azName]
  image_registry_credentials:
    description:
      - The logins for the registries that the images are pulled from.
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
      - The images that the image cache contains, at least one. Required to create an image cache.
    type: list
    elements: str
  eip:
    description:
      - The elastic IP (EIP). Images from the internet need an EIP or a NAT gateway.
    type: dict
    suboptions:
      eip_instance_id:
        description: The ID of the elastic IP.
        type: str
        required: true
        aliases: [eipInstanceId]
  vpc_id:
    description:
      - The ID of the VPC. Required to create an image cache.
    type: str
    aliases: [vpcId]
"""

    # Many image caches: its fields are suboptions.
    MANY = r"""
options:
  image_caches:
    description:
      - The image caches. Each ID, and each name of an entry without an ID, may occur once. See the guide
        R(Many image caches,ansible_collections.ctyun.eci.docsite.bulk).
    type: list
    elements: dict
    required: true
    suboptions:

      image_cache_name:
        description:
          - The name of the image cache, by which an existing one is found. Required, unless an ID selects one.
        type: str
        aliases: [imageCacheName, name]
      image_cache_size:
        description:
          - The size of the image cache in GB. The service takes 20 if it is not given.
        type: int
        aliases: [imageCacheSize]
      retention_days:
        description:
          - The number of days for which the image cache is kept, at most V(3650). If it is V(0) or not given, it is kept forever.
        type: int
        aliases: [retentionDays]
      tags:
        description:
          - "The tags of the image cache, each key once. A mapping such as V({team: web}) is accepted as well."
          - If not given, the tags stay as they are. An empty list removes those that the service shows.
        type: list
        elements: dict
        suboptions:
          key:
            description: The key of the tag.
            type: str
          value:
            description: The value of the tag.
            type: str
      security_group_id:
        description:
          - The ID of the security group. Required to create an image cache.
        type: str
        aliases: [securityGroupId]
      v_switch_id:
        description:
          - The ID of the subnet. Required to create an image cache.
        type: str
        aliases: [vSwitchId, subnet_id]
      az_info:
        description:
          - The availability zone. Required to create an image cache.
        type: dict
        aliases: [azInfo]
        suboptions:
          az_name:
            description:
              - The name of the zone, one of those that M(ctyun.eci.region_info) lists.
            type: str
            required: true
            aliases: [azName]
      image_registry_credentials:
        description:
          - The logins for the registries that the images are pulled from.
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
          - The images that the image cache contains, at least one. Required to create an image cache.
        type: list
        elements: str
      eip:
        description:
          - The elastic IP (EIP). Images from the internet need an EIP or a NAT gateway.
        type: dict
        suboptions:
          eip_instance_id:
            description: The ID of the elastic IP.
            type: str
            required: true
            aliases: [eipInstanceId]
      vpc_id:
        description:
          - The ID of the VPC. Required to create an image cache.
        type: str
        aliases: [vpcId]

      state:
        description:
          - Whether this image cache should exist. The default is O(state) of the task.
        type: str
        choices: [present, absent]
      image_cache_id:
        description:
          - The ID of an existing image cache, needed only if several have the same name. It may be empty in check mode only.
          - If a name is given as well, another name is drift, or an error with V(absent).
        type: str
        aliases: [imageCacheId]
"""
