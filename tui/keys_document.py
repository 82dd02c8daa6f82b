"""docs/keys.md, made from the registry of actions: `python -m tui.keys_document` (make docs)."""

from __future__ import annotations

from tui.actions import key_table_markdown

_HEAD = """\
# Keys

Made by `make docs` from the program itself. `?` shows them, those of the screen that you see first. Each can be
changed, by its id: [configuration.md](configuration.md).

"""


def markdown() -> str:
    """The whole document, with a newline at its end."""
    return f"{_HEAD}{key_table_markdown()}\n"


def main() -> None:
    """Write the document to stdout."""
    import sys

    sys.stdout.write(markdown())


if __name__ == "__main__":
    main()
