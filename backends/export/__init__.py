"""Recipes as text that other programs read. Pure; makes nothing."""
