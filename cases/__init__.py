"""Named, runnable cases: `fpsolve list` shows them, `fpsolve run NAME` solves, draws and saves one."""
