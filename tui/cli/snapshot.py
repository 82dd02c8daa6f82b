"""One plain picture of the fleet, for where there is no terminal to draw on. Changes nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from backends.model.ids import EngineKind
from tui.cli import engines, gpus, ps, schema, schema_gpus
from tui.cli.exits import Exit
from tui.cli.output import answer, data, say
from tui.cli.pick import first_view
from tui.cli.session import Invocation, run
from widgets.text import inert

if TYPE_CHECKING:
    from backends.services.fleet import Fleet


def snapshot(invocation: Invocation) -> NoReturn:
    """Print engines, containers and GPUs once; exits with 0, since what is lost is part of the picture."""

    async def body(fleet: Fleet) -> Exit:
        from tui.bootstrap import demo_reason

        await first_view(fleet)
        view = await gpus.sampled_gpus(fleet)
        found = sorted(view.engines.values(), key=lambda engine: engine.id.name)
        containers = ps.sorted_rows(view.containers.values())
        reason = "" if invocation.demo else demo_reason(view)
        if invocation.json:
            answer(
                demo=any(engine.id.kind is EngineKind.DEMO for engine in found),
                demo_reason=reason or None,
                engines=[schema.engine(engine) for engine in found],
                containers=[schema.container(row) for row in containers],
                gpu=schema_gpus.gpus(view.gpus),
            )
        else:
            if reason:
                data(inert(f"DEMO: {reason}"))
                data("")
            engines.show(found)
            data("")
            ps.show(containers)
            data("")
            gpus.show(view.gpus)
        if reason and sys.stderr.isatty() and not sys.stdout.isatty():
            say(f"tranship: this is the demo fleet: {reason}")  # whoever looks on does not see stdout
        return Exit.DONE

    run(invocation, body, demo_if_none=True, sampling=True)
