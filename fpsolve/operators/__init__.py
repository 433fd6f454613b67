"""Terms of the generator: each turns physics on a grid into rates between cells."""
