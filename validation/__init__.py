"""Claims about the cases: exact laws, published numbers and particles, each beside its negative control."""
