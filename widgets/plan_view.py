"""The migration pane: shows a plan, its run and its report. Runs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.plan import Plan
from widgets.joint_lines import joint_plan_lines
from widgets.line import BLANK, Tone
from widgets.lines_pane import Build, LinesPane
from widgets.plan_lines import RUNNING, plan_lines
from widgets.text import paragraph


class PlanView(LinesPane):
    """What a migration will do, does, and did."""

    _running_row: int | None = None  # the line of the step that runs

    def show_plan(self, plan: Plan) -> None:
        """Before the run."""
        self.show_built(lambda width: plan_lines(plan, width))

    def show_plans(self, plans: Sequence[Plan], project: str) -> None:
        """Before the run of several. project: whose containers they are, "" where it is one alone."""
        if project:
            self.show_built(lambda width: joint_plan_lines(plans, project, width))
        else:
            self.show_plan(plans[0])

    def show_run(self, build: Build) -> None:
        """During and after the run; the step that runs is kept in sight where it changes."""
        self.show_built(build)
        running = next((row for row, spans in enumerate(self.lines) if spans and spans[0].text == RUNNING), None)
        if running is not None and running != self._running_row:
            top, height = self.scroll_offset.y, self.size.height
            if not top <= running < top + height - 2:  # its own lines stand below it
                self.scroll_to(y=max(0, running - height // 2), animate=False)
        self._running_row = running

    def show_message(self, text: str) -> None:
        """A calm sentence ("Reading the source …")."""
        self.show_built(lambda width: [BLANK, *paragraph(text, Tone.DIM, width)])
