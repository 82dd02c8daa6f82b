"""Whole numbers as a person types them. Pure."""

from __future__ import annotations


def wrong_number(text: str, least: int, most: int) -> str:
    """What is wrong with it, "" where nothing is."""
    fits = text.isascii() and text.isdigit() and least <= int(text) <= most
    return "" if fits else f"a number from {least} to {most}"


__all__ = ["wrong_number"]
