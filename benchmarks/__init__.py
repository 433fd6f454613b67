"""Timings, beside what a user would otherwise write."""
