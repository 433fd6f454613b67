"""python -m fpsolve: the command line."""

import sys

from fpsolve.cli import main

if __name__ == "__main__":
    sys.exit(main())
