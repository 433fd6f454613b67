"""The version, once: setup.cfg, `fpsolve.__version__` and saved files take it from here."""

__version__ = "0.1.0"
