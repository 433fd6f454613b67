"""python -m fpsolve: the command line."""

import sys

from fpsolve.cli import main

sys.exit(main())
