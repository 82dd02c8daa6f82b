"""The migration pane: shows a plan, its run and its report. Runs nothing."""

from __future__ import annotations

from backends.model.events import OperationUpdate
from backends.model.plan import MigrationReport, Plan
from widgets.line import BLANK, Tone
from widgets.lines_pane import LinesPane
from widgets.plan_lines import plan_lines, progress_lines, report_lines
from widgets.text import paragraph


class PlanView(LinesPane):
    """What a migration will do, does, and did."""

    def show_plan(self, plan: Plan) -> None:
        """Before the run."""
        self.show_built(lambda width: plan_lines(plan, width))

    def show_progress(self, plan: Plan, update: OperationUpdate) -> None:
        """During the run. update.step_index counts plan.steps from 0."""
        self.show_built(lambda width: progress_lines(plan, update, width))

    def show_report(self, report: MigrationReport) -> None:
        """After the run."""
        self.show_built(lambda width: report_lines(report, width))

    def show_message(self, text: str) -> None:
        """A calm sentence ("Reading the source …")."""
        self.show_built(lambda width: [BLANK, *paragraph(text, Tone.DIM, width)])
