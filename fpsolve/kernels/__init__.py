"""Compiled loops: arrays and scalars in, arrays out.  Imports numpy and numba, nothing of fpsolve."""
