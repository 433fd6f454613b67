"""Manufactured problems in two and three dimensions, with exact densities and currents in closed form.

From a density p, a tensor field D and a velocity v the drift A = D grad(ln p) + div D + v (Ito) is built by hand; where
div(v p) = 0 the density is stationary, and its current is v p.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_continuous_lyapunov

import fpsolve as fp

LINEAR = np.array([[1.0, 1.5], [-0.5, 1.0]])  # the drift is -LINEAR x
NOISE = np.array([[1.0, 0.4], [0.4, 0.5]])
ENTROPY_PRODUCTION = 2.297794118  # of LINEAR and NOISE
LINEAR_3 = np.array([[1.0, 0.8, 0.0], [-0.6, 1.2, 0.5], [0.3, -0.4, 0.9]])
NOISE_3 = np.array([[1.0, 0.3, 0.1], [0.3, 0.7, -0.2], [0.1, -0.2, 0.8]])
REACH = 4.5


@dataclass(frozen=True, eq=False)
class Manufactured:
    """A problem, its exact masses (normalised on the cells), and the velocity J/p of its exact current."""

    problem: fp.Problem
    masses: np.ndarray
    velocity: tuple[np.ndarray, ...]

    def error(self, p):
        """L1 distance of the masses of p, normalised on the cells, from the exact ones."""
        return float(np.abs(p.masses / p.masses.sum() - self.masses).sum())

    def current_error(self, J):
        """L1 distance of the current at the nodes from the exact one, relative to the exact one's L1 norm."""
        exact = [v * self.masses for v in self.velocity]
        found = [part.values * self.problem.grid.weights for part in J.at_nodes]
        gap = sum(np.abs(a - b).sum() for a, b in zip(found, exact, strict=True))
        return float(gap / sum(np.abs(part).sum() for part in exact))


def order(errors, ratio=2.0):
    """Observed orders between successive grids, each `ratio` times as fine as the one before."""
    return np.log(np.array(errors[:-1]) / np.array(errors[1:])) / np.log(ratio)


def on_cells(grid, log_p):
    """exp(log_p) as masses that sum to 1."""
    raw = np.exp(log_p - np.max(log_p)) * grid.weights
    return raw / raw.sum()


def product(matrix, x):
    """matrix x, one array per row."""
    return tuple(sum(a * part for a, part in zip(row, x, strict=True)) for row in matrix)


def linear(cells, *, reach=7.0, matrix=LINEAR, noise=NOISE):
    """Test a: a linear drift with a current; the grid spans `reach` standard deviations each way."""
    S = solve_continuous_lyapunov(matrix, 2 * noise)
    inverse = np.linalg.inv(S)
    axes = {name: (-reach * s, reach * s, cells) for name, s in zip("xyz", np.sqrt(np.diag(S)), strict=False)}
    grid = fp.Grid(**axes)
    process = fp.Process(lambda *x: product(-matrix, x), tuple(map(tuple, noise)))
    x = grid.mesh()
    log_p = -0.5 * sum(a * b for a, b in zip(x, product(inverse, x), strict=True))
    velocity = tuple(np.broadcast_to(v, grid.shape) for v in product(noise @ inverse - matrix, x))
    return Manufactured(fp.Problem(process, grid), on_cells(grid, log_p), velocity)


def potential(x, y):
    return x * x / 2 + y * y / 2 + 0.5 * np.sin(2 * x) * np.cos(y)


def slopes(x, y):
    """The gradient of `potential`."""
    return x + np.cos(2 * x) * np.cos(y), y - 0.5 * np.sin(2 * x) * np.sin(y)


def turning(x, y):
    """An angle that varies over the plane, and its gradient."""
    angle = 0.7 * x + 0.4 * y + 0.3 * np.sin(x * y / 3)
    wave = 0.1 * np.cos(x * y / 3)
    return angle, 0.7 + wave * y, 0.4 + wave * x


def turned(x, y, condition):
    """A tensor with eigenvalues 1 and 1/condition along turning axes."""
    angle, low = turning(x, y)[0], 1.0 / condition
    c, s = np.cos(angle), np.sin(angle)
    mixed = (1 - low) * c * s
    return (c * c + low * s * s, mixed), (mixed, s * s + low * c * c)


def turned_divergence(x, y, condition):
    """div of `turned`."""
    angle, along_x, along_y = turning(x, y)
    size = 1 - 1 / condition
    c, s = size * np.cos(2 * angle), size * np.sin(2 * angle)
    return c * along_y - s * along_x, c * along_x + s * along_y


def rotating(cells, condition, current=0.0, *, grid=None):
    """Tests b to e: p = exp(-potential) under a turning tensor, with the current `current` (-U_y, U_x) p."""

    def drift(x, y):
        (a, b), (_, d) = turned(x, y, condition)
        u, v = slopes(x, y)
        p, q = turned_divergence(x, y, condition)
        return p - a * u - b * v - current * v, q - b * u - d * v + current * u

    grid = grid or fp.Grid(x=(-REACH, REACH, cells), y=(-REACH, REACH, cells))
    x, y = grid.mesh()
    u, v = slopes(x, y)
    process = fp.Process(drift, lambda x, y: turned(x, y, condition))
    return Manufactured(fp.Problem(process, grid), on_cells(grid, -potential(x, y)), (-current * v, current * u))


def potential_in_space(x, y, z):
    return (x * x + y * y + z * z) / 2 + 0.3 * np.sin(x) * np.cos(y + z)


def slopes_in_space(x, y, z):
    """The gradient of `potential_in_space`."""
    ripple = 0.3 * np.sin(x) * np.sin(y + z)
    return x + 0.3 * np.cos(x) * np.cos(y + z), y - ripple, z - ripple


def ridge(x, y, z):
    """D = 0.2 + v v^T with v = (1, sin(.6 x + .4 z), cos(.5 y)): full everywhere, condition up to 16."""
    s, c = np.sin(0.6 * x + 0.4 * z), np.cos(0.5 * y)
    one = 1.0 + 0 * x
    return (1.2 * one, s, c), (s, 0.2 + s * s, s * c), (c, s * c, 0.2 + c * c)


def ridge_divergence(x, y, z):
    """div of `ridge`: (v.grad) v, since div v = 0."""
    s, c = np.sin(0.6 * x + 0.4 * z), np.cos(0.5 * y)
    return 0 * x, (0.6 + 0.4 * c) * np.cos(0.6 * x + 0.4 * z), -0.5 * np.sin(0.5 * y) * s


def equilibrium_in_space(cells):
    """Detailed balance under a full tensor in three dimensions, its drift given as a function."""

    def drift(x, y, z):
        pull = product(ridge(x, y, z), slopes_in_space(x, y, z))
        return tuple(p - q for p, q in zip(ridge_divergence(x, y, z), pull, strict=True))

    grid = fp.Grid(**dict.fromkeys("xyz", (-REACH, REACH, cells)))
    nothing = tuple(np.zeros(grid.shape) for _ in "xyz")
    log_p = -potential_in_space(*grid.mesh())
    return Manufactured(fp.Problem(fp.Process(drift, ridge), grid), on_cells(grid, log_p), nothing)


def linear_in_space(cells):
    """A linear drift with a current in three dimensions, five standard deviations each way."""
    return linear(cells, reach=5.0, matrix=LINEAR_3, noise=NOISE_3)
