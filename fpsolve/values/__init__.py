"""Values: what questions return.  Frozen, printable, with their plots."""
