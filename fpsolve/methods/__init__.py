"""Time steppers: each has `states(generator, m0, times)`, the masses at those times and how they were obtained."""
