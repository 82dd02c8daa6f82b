"""Finds the addresses of a container's services, purely from what is known and printed. Asks nobody, opens nothing."""
