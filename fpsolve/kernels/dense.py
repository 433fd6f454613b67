"""Dense layers forwards and backwards, for the few replicas, or lanes, that are carried together.

    z_l = W_l a_(l-1),   a_l = phi(z_l) below the last layer,   f = z_L;    a_0 = x

All weights of a network lie in one array (weights, lanes), layer after layer, a row after another: W_l[o, i] is at
offset_l + o * inputs + i.  Activations, slopes phi'(z) and gradients with respect to z lie in arrays (units, lanes),
the inputs first.  phi is one of LINEAR, TANH, SWISH (z/(1 + e^-z)) and LEAKY (z, or leak * z where z < 0).

A normalised network computes with unit = w/|w|, the norm taken over each of its `groups`; then the gradient is
(g - unit (unit.g))/|w|.
"""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.jit import jit

LINEAR, TANH, SWISH, LEAKY = 0, 1, 2, 3


@jit
def forwards(widths, activation, leak, w, a, slope):
    """From a[:inputs] to the outputs, a[-outputs:]."""
    below, at, layers = 0, 0, widths.size - 1
    for layer in range(layers):
        above = below + widths[layer]
        for o in range(above, above + widths[layer + 1]):
            for p in range(w.shape[1]):
                a[o, p] = w[at, p] * a[below, p]
            for i in range(1, widths[layer]):
                for p in range(w.shape[1]):
                    a[o, p] += w[at + i, p] * a[below + i, p]
            at += widths[layer]
            if layer < layers - 1 and activation != LINEAR:
                _activate(activation, leak, o, a, slope)
        below = above


@jit
def backwards(widths, activation, w, a, slope, delta, g, first):
    """Add a sample's gradient to g, or put it there if it is the batch's first; delta holds that of the outputs."""
    above, end = a.shape[0] - widths[-1], w.shape[0]
    for layer in range(widths.size - 2, -1, -1):
        inputs, outputs = widths[layer], widths[layer + 1]
        below, begin = above - inputs, end - inputs * outputs
        for o in range(outputs):
            for i in range(inputs):
                at = begin + o * inputs + i
                if first:
                    for p in range(w.shape[1]):
                        g[at, p] = delta[above + o, p] * a[below + i, p]
                else:
                    for p in range(w.shape[1]):
                        g[at, p] += delta[above + o, p] * a[below + i, p]
        if layer > 0:
            for i in range(inputs):
                for p in range(w.shape[1]):
                    delta[below + i, p] = w[begin + i, p] * delta[above, p]
                for o in range(1, outputs):
                    for p in range(w.shape[1]):
                        delta[below + i, p] += w[begin + o * inputs + i, p] * delta[above + o, p]
                if activation != LINEAR:
                    for p in range(w.shape[1]):
                        delta[below + i, p] *= slope[below + i, p]
        above, end = below, begin


@jit
def normalise(groups, w, unit, inverse):
    """unit = w/|w| and inverse = 1/|w|, group by group; groups holds where each begins, and the end."""
    for k in range(groups.size - 1):
        for p in range(w.shape[1]):
            inverse[k, p] = 0.0
        for j in range(groups[k], groups[k + 1]):
            for p in range(w.shape[1]):
                inverse[k, p] += w[j, p] * w[j, p]
        for p in range(w.shape[1]):
            inverse[k, p] = 1.0 / np.sqrt(inverse[k, p])
        for j in range(groups[k], groups[k + 1]):
            for p in range(w.shape[1]):
                unit[j, p] = w[j, p] * inverse[k, p]


@jit
def project(groups, unit, inverse, g, scratch):
    """From the gradient with respect to unit to that with respect to w."""
    for k in range(groups.size - 1):
        for p in range(g.shape[1]):
            scratch[p] = 0.0
        for j in range(groups[k], groups[k + 1]):
            for p in range(g.shape[1]):
                scratch[p] += unit[j, p] * g[j, p]
        for j in range(groups[k], groups[k + 1]):
            for p in range(g.shape[1]):
                g[j, p] = (g[j, p] - unit[j, p] * scratch[p]) * inverse[k, p]


@jit
def _activate(activation, leak, unit, a, slope):
    if activation == TANH:
        for p in range(a.shape[1]):
            a[unit, p] = np.tanh(a[unit, p])
            slope[unit, p] = 1.0 - a[unit, p] * a[unit, p]
    elif activation == SWISH:
        for p in range(a.shape[1]):
            z = a[unit, p]
            share = 1.0 / (1.0 + np.exp(-z))
            a[unit, p] = z * share
            slope[unit, p] = share + z * share * (1.0 - share)
    else:
        for p in range(a.shape[1]):
            slope[unit, p] = 1.0 if a[unit, p] >= 0.0 else leak
            a[unit, p] *= slope[unit, p]
