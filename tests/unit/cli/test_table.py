"""Plain tables: aligned, cut to the terminal, inert."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.model.container import ContainerState, Health
from tests.unit.cli.objects import EVIL, container
from tui.cli.table import Column, state_text, table
from widgets.text import width_of

COLUMNS = (Column("NAME", give=1, cut="middle"), Column("NOTE", give=2), Column("SIZE", align="right"))


def test_columns_are_aligned() -> None:
    lines = table(COLUMNS, [("web", "hello", "1 B"), ("a-longer-name", "", "1023 MiB")], None)
    assert lines == [
        "NAME           NOTE       SIZE",
        "web            hello       1 B",
        "a-longer-name         1023 MiB",
    ]


def test_the_most_giving_column_is_cut_first_and_the_rest_after_it() -> None:
    row = ("a-container-of-a-long-name", "a note that says a lot of things", "12 MiB")
    assert table(COLUMNS, [row], 50)[1] == "a-container-of-a-long-name  a note that s…  12 MiB"
    assert table(COLUMNS, [row], 30)[1] == "a-conta…g-name  a not…  12 MiB"


def test_what_comes_from_outside_is_inert() -> None:
    lines = table(COLUMNS, [(EVIL, "x", "y")], None)
    assert len(lines) == 2
    assert all(character.isprintable() for line in lines for character in line)


def test_states_say_what_explains_them() -> None:
    assert state_text(container("a")) == "running"
    assert state_text(container("a", health=Health.UNHEALTHY)) == "running (unhealthy)"
    assert state_text(container("a", state=ContainerState.EXITED, exit_code=137)) == "exited (137)"
    assert state_text(container("a", state=ContainerState.CREATED)) == "created"


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40), st.text(max_size=8)), max_size=4))
def test_no_line_is_wider_than_the_terminal_where_columns_can_give(rows: list[tuple[str, str, str]]) -> None:
    for line in table(COLUMNS, rows, 40):
        assert width_of(line) <= 40
        assert "\n" not in line
