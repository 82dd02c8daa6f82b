"""All that one GPU tells as labelled facts, and why it does not tell the rest. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from backends.model.gpu import GpuReading
from backends.model.values import Count, Missing, Quantity
from widgets.format import bytes_text, percent_text, rate_text
from widgets.gpu_gauges import WARNING, heat, power_text, sentence, throttle_text
from widgets.line import BLANK, Line, Span, Tone, line
from widgets.text import fit_line, inert, pad, paragraph

COLUMN_CELLS = 38  # a column of facts has at least so many cells
_LABEL_CELLS = 12


class Fact(NamedTuple):
    """One thing that a device tells; value: spans to show, or why there are none."""

    label: str
    value: Line | Missing


def _plain(value: Quantity | Count, text: str) -> Line | Missing:
    return value if isinstance(value, Missing) else line(text)


def _of(value: Count, most: Count, unit: str) -> Line | Missing:
    """ "1410 of 1980 MHz"."""
    if isinstance(value, Missing):
        return value
    return line(f"{value} {unit}") if isinstance(most, Missing) else line(f"{value} of {most} {unit}")


def facts_of(reading: GpuReading) -> list[Fact]:
    """Every fact, the most asked for first."""
    clocks, health = reading.clocks, reading.health
    return [
        Fact("Temperature", _temperature(reading)),
        Fact("Power", _plain(reading.power_w, power_text(reading))),
        Fact("Throttled", _throttled(reading)),
        Fact("SM clock", _of(clocks.sm_mhz, clocks.sm_max_mhz, "MHz")),
        Fact("Mem clock", _of(clocks.memory_mhz, clocks.memory_max_mhz, "MHz")),
        Fact(
            "Mem busy", _plain(reading.memory_busy_percent, f"{percent_text(reading.memory_busy_percent)} of the time")
        ),
        Fact("Mem free", _plain(reading.memory_free_bytes, bytes_text(reading.memory_free_bytes))),
        Fact("Mem reserved", _plain(reading.memory_reserved_bytes, bytes_text(reading.memory_reserved_bytes))),
        Fact("PCIe in", _plain(reading.pcie_rx_bytes_s, rate_text(reading.pcie_rx_bytes_s))),
        Fact("PCIe out", _plain(reading.pcie_tx_bytes_s, rate_text(reading.pcie_tx_bytes_s))),
        Fact("Encoder", _plain(reading.encoder_percent, percent_text(reading.encoder_percent))),
        Fact("Decoder", _plain(reading.decoder_percent, percent_text(reading.decoder_percent))),
        Fact("Fan", _plain(reading.fan_percent, percent_text(reading.fan_percent))),
        Fact("ECC errors", _ecc(health.ecc_corrected, health.ecc_uncorrected)),
        Fact("Retired", _bad_where_any(health.retired_pages, "pages")),
        Fact("Persistence", _words(health.persistence)),
        Fact("Compute mode", _words(health.compute_mode)),
    ]


def _words(value: str | Missing) -> Line | Missing:
    return value if isinstance(value, Missing) else line(inert(value))


def _temperature(reading: GpuReading) -> Line | Missing:
    """ "66 of 89 °C, off at 92": now, where it slows down, where it turns itself off."""
    if isinstance(reading.temperature_c, Missing):
        return reading.temperature_c
    slowdown, shutdown = reading.device.slowdown_c, reading.device.shutdown_c
    now = heat(reading)
    if isinstance(slowdown, Missing):
        return line(now)
    off = "" if isinstance(shutdown, Missing) else f", off at {shutdown:.0f}"
    return line((now.text.removesuffix(" °C"), now.tone), (f" of {slowdown:.0f} °C{off}", Tone.DIM))


def _throttled(reading: GpuReading) -> Line | Missing:
    if isinstance(reading.clocks.throttled, Missing):
        return reading.clocks.throttled
    text = throttle_text(reading)
    return line((f"{WARNING} {text}", Tone.WARN)) if text else line("no")


def _ecc(corrected: Count, uncorrected: Count) -> Line | Missing:
    if isinstance(uncorrected, Missing):
        return uncorrected
    sign = f"{WARNING} " if uncorrected else ""
    repaired = "" if isinstance(corrected, Missing) else f"{corrected} repaired, "
    return line((f"{sign}{repaired}{uncorrected} not", Tone.BAD if uncorrected else Tone.PLAIN))


def _bad_where_any(value: Count, unit: str) -> Line | Missing:
    if isinstance(value, Missing):
        return value
    return line((f"{WARNING} {value} {unit}" if value else "none", Tone.WARN if value else Tone.PLAIN))


def fact_lines(reading: GpuReading, width: int, room: int = 0) -> list[Line]:
    """The facts in as many columns as fit, then what is not told and why, then what the device is called.

    room: lines that are in sight, 0 = not known; where not all are, what is not told comes first.
    """
    known = [fact for fact in facts_of(reading) if not isinstance(fact.value, Missing)]
    columns = max(1, width // COLUMN_CELLS)
    cells = width // columns
    lines = [_row(part, cells) for part in _rows(known, columns)]
    missing, identity = missing_lines(reading, width), identity_line(reading)
    if room and len(lines) + len(missing) > room:
        return [*missing, *lines, identity]
    return [*lines, *missing, identity]


def _rows(facts: Sequence[Fact], columns: int) -> Iterator[Sequence[Fact]]:
    for first in range(0, len(facts), columns):
        yield facts[first : first + columns]


def _row(facts: Sequence[Fact], cells: int) -> Line:
    spans: list[Span] = []
    for fact in facts:
        value = BLANK if isinstance(fact.value, Missing) else fact.value
        spans.append(Span(f" {pad(fact.label, _LABEL_CELLS)} ", Tone.DIM))
        spans.extend(fit_line(value, cells - _LABEL_CELLS - 2))
    return tuple(spans)


def missing_lines(reading: GpuReading, width: int) -> list[Line]:
    """What a device does not tell, by reason: "Not told: fan, video (Not Supported)"."""
    reasons: dict[str, list[str]] = {}
    told = [Fact("GPU use", _plain(reading.gpu_percent, "")), Fact("memory", _plain(reading.memory_used_bytes, ""))]
    for fact in (*told, *facts_of(reading)):
        if isinstance(fact.value, Missing):
            label = fact.label if fact.label[1:2].isupper() else fact.label[:1].lower() + fact.label[1:]
            reasons.setdefault(fact.value.reason, []).append(label)
    if reading.processes_refused:
        reasons.setdefault(reading.processes_refused, []).append("processes")
    return [
        part
        for reason, labels in reasons.items()
        for part in paragraph(f"n/a: {', '.join(labels)} ({inert(reason)})", Tone.DIM, width, indent=" ")
    ]


def identity_line(reading: GpuReading) -> Line:
    """How others call the device: UUID, PCI address, CDI name."""
    device = reading.device
    parts = [inert(part) for part in (device.uuid, device.pci_bus_id, device.cdi_name) if part]
    return line((f" {'  '.join(parts)}", Tone.FAINT if not parts else Tone.DIM))


def condition_lines(reading: GpuReading, width: int) -> list[Line]:
    """Why the whole device cannot be read, and the next step."""
    hint = [BLANK, *paragraph(sentence(reading.hint), Tone.PLAIN, width)] if reading.hint else []
    return [BLANK, *paragraph(f"✕ {sentence(reading.condition)}", Tone.BAD, width), *hint]


def side_by_side(left: Sequence[Line], right: Sequence[Line], cells: int, gap: int) -> list[Line]:
    """Two blocks of lines beside each other, the left one in so many cells."""
    space = Span(" " * gap)
    return [(*fit_line(one, cells), space, *other) for one, other in zip_longest(left, right, fillvalue=BLANK)]
