"""What edges do to masses, and their transpose to functions: one pass, and what leaves one cell enters the other."""

from __future__ import annotations

from fpsolve.kernels.jit import jit


@jit
def flow_along(left, right, up, down, m, change):
    """Add to `change` the net flux over every edge: out of its left cell, into its right one."""
    for edge in range(left.size):
        flux = up[edge] * m[left[edge]] - down[edge] * m[right[edge]]
        change[left[edge]] -= flux
        change[right[edge]] += flux


@jit
def rise_along(left, right, up, down, f, change):
    """Add to `change` the expected rise of f along every edge, seen from both its cells."""
    for edge in range(left.size):
        rise = f[right[edge]] - f[left[edge]]
        change[left[edge]] += up[edge] * rise
        change[right[edge]] -= down[edge] * rise


@jit
def carry_along(left, right, sources, coefficients, m, change):
    """Add to `change` fluxes over faces that are weighted sums of the masses of a few cells."""
    for face in range(left.size):
        flux = 0.0
        for i in range(sources.shape[1]):
            flux += coefficients[face, i] * m[sources[face, i]]
        change[left[face]] -= flux
        change[right[face]] += flux


@jit
def rise_of_carried(left, right, sources, coefficients, f, change):
    """The transpose of `carry_along`."""
    for face in range(left.size):
        rise = f[right[face]] - f[left[face]]
        for i in range(sources.shape[1]):
            change[sources[face, i]] += coefficients[face, i] * rise
