"""A plain twin of the training kernel: one replica at a time, loops over numbers, samples from the twins of SGD."""

import math

import numpy as np
from sgd_twin import samples_twin, word_twin

FRESH_DATA = 7


def unit_twin(first, second):
    """The 53 leading bits of two words, in [0, 1)."""
    return ((first << 32 | second) >> 11) * 2.0**-53


def normals_twin(seed, draw, particle, count):
    """The normals of one fresh sample, by Box & Muller."""
    numbers = []
    for pair in range((count + 1) // 2):
        words = [word_twin(seed, draw, particle, FRESH_DATA + 65536 * pair, which) for which in range(4)]
        radius = math.sqrt(-2.0 * math.log(1.0 - unit_twin(*words[:2])))
        angle = 2.0 * math.pi * unit_twin(*words[2:])
        numbers += [radius * math.cos(angle), radius * math.sin(angle)]
    return np.array(numbers[:count])


def batch_twin(net, seed, step, particle, shuffled=False):
    """x and y of one step's minibatch."""
    if hasattr(net.data, "teacher"):
        if net.batch is None:
            return np.split(net.data.points, [net.data.inputs], axis=1)
        draws = range(step * net.batch, (step + 1) * net.batch)
        size = net.data.inputs + net.data.outputs
        rows = [net.data.root @ normals_twin(seed, draw, particle, size) for draw in draws]
        return np.split(np.array(rows), [net.data.inputs], axis=1)
    if net.batch is None:
        return net.data.x, net.data.y
    samples = samples_twin(seed, step, particle, net.data.n, net.batch, shuffled)
    return net.data.x[samples], net.data.y[samples]


def activation_twin(net, z):
    """phi(z) and phi'(z)."""
    if net.activation == "tanh":
        return np.tanh(z), 1.0 - np.tanh(z) ** 2
    if net.activation == "swish":
        s = 1.0 / (1.0 + np.exp(-z))
        return z * s, s + z * s * (1.0 - s)
    leak = {"linear": 1.0, "relu": 0.0, "leaky_relu": net.leak}[net.activation]
    slope = np.where(z >= 0, 1.0, leak)
    return z * slope, slope


def gradient_twin(net, weights, x, y):
    """The gradient of the minibatch's mean of |f(x) - y|^2, weights (size,)."""
    layers = net.layers(weights)
    groups = {None: [], "together": [list(range(len(layers)))], "each": [[k] for k in range(len(layers))]}
    norms = {
        k: math.sqrt(sum((layers[j] ** 2).sum() for j in group)) for group in groups[net.normalised] for k in group
    }
    used = [W / norms.get(k, 1.0) for k, W in enumerate(layers)]
    total = [np.zeros_like(W) for W in layers]
    for one, target in zip(x, y, strict=True):
        a, slopes = [one], []
        for k, W in enumerate(used):
            z = W @ a[-1]
            value, slope = activation_twin(net, z) if k < len(used) - 1 else (z, np.ones_like(z))
            a.append(value)
            slopes.append(slope)
        delta = 2.0 * (a[-1] - target) / len(x)
        for k in range(len(used) - 1, -1, -1):
            total[k] += np.outer(delta, a[k])
            delta = (used[k].T @ delta) * (slopes[k - 1] if k else 1.0)
    for group in groups[net.normalised]:
        along = sum((used[k] * total[k]).sum() for k in group)
        for k in group:
            total[k] = (total[k] - used[k] * along) / norms[k]
    return np.concatenate([g.ravel() for g in total])


def walk_twin(net, weights, rates, seed, particle, shuffled=False):
    """The weights of one replica after a step for each rate, and what they move by."""
    moving = np.zeros_like(weights)
    for step, rate in enumerate(rates):
        x, y = batch_twin(net, seed, step, particle, shuffled)
        g = gradient_twin(net, weights, x, y)
        if net.clip is not None:
            g = g * min(1.0, net.clip / math.sqrt((g**2).sum()))
        moving = net.momentum * moving + g + 2.0 * net.weight_decay * weights
        weights = weights - rate * moving
    return weights, moving
