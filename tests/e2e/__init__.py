"""Scenes that drive the whole program from outside, as a user would."""
