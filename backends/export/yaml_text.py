"""Plain data as YAML that every reader takes alike: 1.1 (PyYAML, go-yaml 2) and 1.2 (go-yaml 3). Pure.

PyYAML writes it. Its own rules for leaving a text without quotes are those of YAML 1.1: other readers take `1e3`,
`0o17` or `y` for something else than a text, so whatever is not plainly a word is quoted. No anchors are used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_WORD = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?::[A-Za-z0-9_./-]+)*")
_TAKEN_FOR_BOOL = frozenset({"y", "Y", "n", "N"})
_NO_FOLDING = 1 << 20


def yaml_text(*documents: object, comments: Iterable[str] = ()) -> str:
    """YAML of mappings, lists, texts, numbers and truth values, a `---` between documents. comments: lines above."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Texts quoted where any reader might take them for something else."""

        def ignore_aliases(self, _data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
            super().increase_indent(flow, False)

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        plain = _WORD.fullmatch(value) is not None and value not in _TAKEN_FOR_BOOL
        style = None if plain else '"' if not value.isprintable() else "'"
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    body = yaml.dump_all(
        documents, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_NO_FOLDING, default_flow_style=False
    )
    return "".join(f"# {comment_text(line)}".rstrip() + "\n" for line in comments) + body


def comment_text(line: str) -> str:
    """A text that stays within its line, whatever it holds: what does not print is written as an escape."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)


__all__ = ["comment_text", "yaml_text"]
