"""Linear solvers: null vectors and resolvents of generators."""
