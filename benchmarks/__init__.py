"""Measurements against what a user would pick instead: ratios from one run, never absolute claims."""
