"""Fixtures for figures; and Hypothesis' examples: new ones on a developer's machine, the same ones every time in
continuous integration.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("continuous integration", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("continuous integration")


@pytest.fixture
def axes():
    """Empty axes in a figure of their own."""
    from matplotlib.figure import Figure

    return Figure().add_subplot()


@pytest.fixture
def figures_closed():
    """No figure of pyplot's outlives its test."""
    from matplotlib import pyplot as plt

    yield
    plt.close("all")
