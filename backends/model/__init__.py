"""Pure dataclasses, standard library only: what the program knows. May import nothing of ours."""
