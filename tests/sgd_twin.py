"""Plain twins of the SGD kernels: Python integers for the random numbers, one replica at a time, no tables."""

import numpy as np

MASK = 2**32 - 1


def philox_twin(counter, key):
    """The four words of Philox4x32-10, in Python integers."""
    a, b, c, d = counter
    k0, k1 = key & MASK, key >> 32
    for _ in range(10):
        low, high = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (high >> 32) ^ b ^ k0, high & MASK, (low >> 32) ^ d ^ k1, low & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return [a, b, c, d]


def word_twin(seed, block, particle, stream, which):
    return philox_twin((block & MASK, block >> 32, particle, stream), seed)[which]


def sample_twin(seed, draw, particle, data):
    """The sample of a draw with replacement."""
    return word_twin(seed, draw // 4, particle, 0, draw % 4) * data >> 32


def shuffle_twin(seed, epoch, particle, data):
    """The order of the samples in one epoch."""
    order, blocks = list(range(data)), (data + 3) // 4
    for slot in range(data - 1, 0, -1):
        word = word_twin(seed, epoch * blocks + slot // 4, particle, 1, slot % 4)
        other = word * (slot + 1) >> 32
        order[slot], order[other] = order[other], order[slot]
    return order


def samples_twin(seed, step, particle, data, batch, shuffled):
    """The samples of one step's minibatch."""
    draws = range(step * batch, (step + 1) * batch)
    if not shuffled:
        return [sample_twin(seed, draw, particle, data) for draw in draws]
    return [shuffle_twin(seed, draw // data, particle, data)[draw % data] for draw in draws]


def step_twin(weights, eta, decay, squares, products, samples):
    """One step of SGD on weights (layers, width), in the order of operations that the kernels state."""
    layers, share = len(weights), 1.0 / len(samples)
    columns = weights.T
    v = 0.0
    for column in columns:
        product = column[0]
        for w in column[1:]:
            product *= w
        v += product
    square, product = 0.0, 0.0
    for i in samples:
        square += squares[i]
        product += products[i]
    move, keep = -2.0 * eta * (v * (square * share) - product * share), 1.0 - 2.0 * eta * decay
    result = np.empty_like(weights)
    for j, column in enumerate(columns):
        for i in range(layers):
            before, after = 1.0, 1.0
            for w in column[:i]:
                before *= w
            for w in column[:i:-1]:
                after *= w
            result[i, j] = keep * column[i] + move * (before * after)
    return result
