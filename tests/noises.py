"""Noise with known laws, by plain numpy: stable increments, Gaussian and subordinated walks, diffusions in steps."""

import numpy as np
from scipy.signal import lfilter


def stable(rng, alpha, size, beta=0.0):
    """Chambers, Mallows & Stuck (1976): |phi(u)| = exp(-|u|^alpha), skew beta, alpha != 1 unless beta = 0."""
    v = rng.uniform(-np.pi / 2, np.pi / 2, size)
    if alpha == 1.0:
        return np.tan(v)
    w = rng.exponential(size=size)
    skew = beta * np.tan(np.pi * alpha / 2)
    turn, stretch = np.arctan(skew) / alpha, (1 + skew**2) ** (0.5 / alpha)
    lift = (np.cos(v - alpha * (v + turn)) / w) ** ((1 - alpha) / alpha)
    return stretch * np.sin(alpha * (v + turn)) / np.cos(v) ** (1 / alpha) * lift


def one_sided(rng, beta, size):
    """Kanter (1975): positive, with Laplace transform exp(-s^beta), 0 < beta < 1."""
    u, e = rng.uniform(0, np.pi, size), rng.exponential(size=size)
    first = np.sin(beta * u) / np.sin(u) ** (1 / beta)
    return first * (np.sin((1 - beta) * u) / e) ** ((1 - beta) / beta)


def subordinated_walk(rng, beta, times, n, dtau=0.2):
    """W(2 E_t), E_t the inverse of a one-sided stable process, on steps dtau: <x^2> = 2 t^beta/Gamma(1 + beta)."""
    clock, place = np.zeros(n), np.zeros(n)
    x, seen = np.zeros((len(times), n)), np.zeros(n, dtype=int)
    while np.any(seen < len(times)):
        clock += dtau ** (1 / beta) * one_sided(rng, beta, n)
        place += np.sqrt(dtau) * rng.normal(size=n)  # to the middle of the step, where times are passed on average
        for k, t in enumerate(times):
            passed = (seen == k) & (clock > t)
            x[k, passed] = place[passed]
            seen[passed] = k + 1
        place += np.sqrt(dtau) * rng.normal(size=n)
    return x


def autoregressive(rng, rho, k, n=1):
    """x' = rho x + sqrt(1 - rho^2) g, (k, n), stationary: autocorrelation rho^lag."""
    kicks = rng.normal(size=(k, n))
    kicks[1:] *= np.sqrt(1 - rho**2)
    return lfilter([1.0], [1.0, -rho], kicks, axis=0)


def walked(rng, drift, diffusion, x, dt, steps):
    """Euler-Maruyama: x (n,) or (n, d) after `steps` steps; diffusion(x) is the (d,)-diagonal or a scalar's."""
    for _ in range(steps):
        x = x + drift(x) * dt + np.sqrt(2 * diffusion(x) * dt) * rng.normal(size=x.shape)
    return x
