"""Particles: what the densities are checked against, real minibatch SGD and simulated paths."""
