# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take pictures of pages of the docsite, for a person to look at: light and dark, on a wide window and on a narrow one.

    python -m tests.tools.docsite.pictures [PAGE ...]

"make docsite-pictures" calls it. It needs Chromium, and writes to build/docsite/pictures.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile

from .build import ROOT, SITE

PAGES = (
    "index",
    "image_cache_module",
    "docsite/guides_zh",
    "docs/guides/bulk",
    "docs/zh-CN/bulk",
    "docs/wire",
)
# What Chromium calls them, and the values of its setting preferredColorScheme.
SCHEMES = {"dark": 0, "light": 1}
WINDOWS = {"wide": (1440, 2400), "narrow": (500, 2400)}


def main() -> None:
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("Pictures need Chromium (the Debian package chromium), and it is not on the PATH.")
    pictures = SITE / "pictures"
    pictures.mkdir(exist_ok=True)
    for page in sys.argv[1:] or PAGES:
        for scheme, number in SCHEMES.items():
            for window, (width, height) in WINDOWS.items():
                picture = pictures / f"{page.replace('/', '-')}-{scheme}-{window}.png"
                with tempfile.TemporaryDirectory() as profile:
                    subprocess.run(
                        [
                            browser,
                            "--headless",
                            "--no-sandbox",
                            "--disable-gpu",
                            "--hide-scrollbars",
                            f"--user-data-dir={profile}",
                            f"--blink-settings=preferredColorScheme={number}",
                            f"--window-size={width},{height}",
                            f"--screenshot={picture}",
                            (SITE / "html" / f"{page}.html").as_uri(),
                        ],
                        check=True,
                        stderr=subprocess.DEVNULL,
                        timeout=120,
                    )
                print(picture.relative_to(ROOT))


if __name__ == "__main__":
    main()
