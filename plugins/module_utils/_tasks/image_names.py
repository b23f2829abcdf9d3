# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the names of images, for the modules that have them. Private to the collection."""

from __future__ import annotations

from typing import Iterator

from .._arguments.schema import Path, Violation
from .._registry.reference import parse
from .._task import Arguments


def check_images(values: Arguments, path: Path = ()) -> Iterator[Violation]:
    """Refuse the names among ``images`` that no image can have. Other types are left to the schema."""
    images = values.get("images")
    for index, image in enumerate(images if isinstance(images, list) else ()):
        try:
            if isinstance(image, str) and image:
                parse(image)
        except ValueError as error:
            yield Violation((*path, "images", index), str(error))
