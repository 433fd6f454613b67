"""Hypothesis: new examples on a developer's machine, the same ones every time in continuous integration."""

import os

from hypothesis import settings

settings.register_profile("continuous integration", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("continuous integration")
