"""Absorbing and reflecting ends in two dimensions, full tensors: manufactured solutions of the backward equation."""

import numpy as np
import planes
import pytest

import fpsolve as fp

TURN = ((1.0, 0.4), (0.4, 0.5))
NARROW = ((0.505, 0.49), (0.49, 0.505))  # condition 66


def backward(pr, f, slope, bend):
    """L^T f by hand, Ito: `slope` (f_x, f_y), `bend` (f_xx, f_xy, f_yy) at the nodes."""
    x, y = np.broadcast_arrays(*pr.grid.mesh())
    u, v = pr.process.drift(x, y)
    D = pr.process.diffusion(x, y) if callable(pr.process.diffusion) else pr.process.diffusion
    (a, b), (_, d) = D
    return u * slope[0] + v * slope[1] + a * bend[0] + 2 * b * bend[1] + d * bend[2]


def box(cells, tensor, ends):
    axes = {name: fp.Axis.uniform(-1, 1, cells, ends=end) for name, end in zip("xy", ends, strict=True)}
    return fp.Problem(fp.Process(lambda x, y: (-x + 0.5 * y, 0.3 - x * y), tensor), fp.Grid(**axes))


def solved_backward(pr, f, slope, bend):
    """Largest and mean error of f found again from L^T f."""
    right = backward(pr, f, slope, bend)
    found = fp.generator(pr).resolvent(0.0).solve_adjoint(-right.ravel()).reshape(f.shape)
    return np.abs(found - f).max(), np.abs(found - f).mean()


def absorbed(cells, tensor):
    """f = cos(pi x/2) cos(pi y/2) between absorbing ends."""
    pr = box(cells, tensor, ("absorbing", "absorbing"))
    x, y = (np.pi / 2 * part for part in pr.grid.mesh())
    f, q = np.cos(x) * np.cos(y), np.pi / 2
    slope = (-q * np.sin(x) * np.cos(y), -q * np.cos(x) * np.sin(y))
    return solved_backward(pr, f, slope, (-q * q * f, q * q * np.sin(x) * np.sin(y), -q * q * f))


def half_absorbed(cells, tensor):
    """f = (1 + cos(pi y))/2 + r x (x^2 - 1)/2 sin(pi y), r = (pi/2) D_xy/D_xx: no flux at x = +-1, 0 at y = +-1."""
    pr = box(cells, tensor, ("reflecting", "absorbing"))
    x, y = pr.grid.mesh()
    r, pi = np.pi / 2 * tensor[0][1] / tensor[0][0], np.pi
    h, h1, h2 = x * (x * x - 1) / 2, (3 * x * x - 1) / 2, 3 * x
    s, c = np.sin(pi * y), np.cos(pi * y)
    f = (1 + c) / 2 + r * h * s
    slope = (r * h1 * s, -pi / 2 * s + r * pi * h * c)
    return solved_backward(pr, f, slope, (r * h2 * s, r * pi * h1 * c, -pi * pi / 2 * c - r * pi * pi * h * s))


def bent(x, y):
    return (1 + 0.3 * x, 0.3 * y + 0.1), (0.3 * y + 0.1, 0.8 + 0.1 * x * y)


@pytest.mark.parametrize(("tensor", "cells"), [(TURN, (24, 48)), (NARROW, (48, 96)), (bent, (24, 48))])
def test_absorbing_ends_are_of_second_order(tensor, cells):
    errors = np.array([absorbed(n, tensor) for n in cells])
    assert planes.order(errors[:, 1]) == pytest.approx([2.0], abs=0.1)
    assert planes.order(errors[:, 0])[0] > 1.85
    assert errors[-1, 1] < 2e-3


def test_absorbing_beside_reflecting_ends():
    """Second order, with a diagonal tensor and with a full one."""
    plain = np.array([half_absorbed(n, ((1.0, 0.0), (0.0, 0.5))) for n in (24, 48)])
    assert planes.order(plain)[0] == pytest.approx([2.0, 2.0], abs=0.1)
    full = np.array([half_absorbed(n, TURN) for n in (24, 48)])
    assert planes.order(full)[0] == pytest.approx([2.0, 2.0], abs=0.15)


def test_walls_are_first_order_without_what_they_lack(monkeypatch):
    monkeypatch.setattr("fpsolve.operators.selling.along_walls", lambda grid, offsets, weights: (offsets, weights))
    full = np.array([half_absorbed(n, TURN) for n in (24, 48)])
    assert np.all(planes.order(full)[0] < 1.3)


def test_absorbing_ends_kill_a_gibbs_process_too():
    """The loss alone is known: exit rates agree with those of the drift given as a function, to second order."""
    grid = fp.Grid(**dict.fromkeys("xy", fp.Axis.uniform(-1, 1, 40, ends="absorbing")))
    loss = fp.Process.gibbs(lambda x, y: x * x + x * y / 2, 1.0, mobility=TURN)
    drift = fp.Process(lambda x, y: planes.product(-np.array(TURN), (2 * x + y / 2, x / 2)), TURN)
    times = [
        fp.generator(fp.Problem(process, grid)).resolvent(0.0).solve_adjoint(np.ones(1600)) for process in (loss, drift)
    ]
    assert times[0] == pytest.approx(times[1], rel=2e-3)
    assert times[0].max() > 0.2


@pytest.mark.parametrize("tensor", [((1.0, 0.0), (0.0, 0.5)), TURN])
def test_a_strong_drift_leaves_at_its_own_rate(tensor):
    """Mean exit times under a drift of 15 D along x: without their drift, the rates over the face are 8 times as wrong.

    a f' + D f'' = -1, f(+-1) = 0: f = (1 - x)/a - (2/a)(exp(-k x) - exp(-k))/(exp(k) - exp(-k)), k = a/D.
    """
    k, a = 15.0, 15.0 * tensor[0][0]
    grid = fp.Grid(x=fp.Axis.uniform(-1, 1, 40, ends="absorbing"), y=fp.Axis.uniform(0, 1, 20, ends="periodic"))
    L = fp.generator(fp.Problem(fp.Process(lambda x, y: (a + 0 * x, 0 * x), tensor), grid))
    times = L.resolvent(0.0).solve_adjoint(np.ones(L.size)).reshape(grid.shape)
    x = grid.nodes[0]
    exact = (1 - x) / a - 2 / a * (np.exp(-k * x) - np.exp(-k)) / (np.exp(k) - np.exp(-k))
    assert np.abs(times - exact[:, None]).max() < 4e-3 * exact.max()
