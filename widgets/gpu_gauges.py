"""The parts that every view of a GPU is made of: bars, heat, power, memory, and signs of what is wrong. Pure.

A sign says what a colour says: ✕ a device that cannot be read, ▲ one that is hot or slowed down, ▸ one that is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.gpu import RECENT_S, RECENT_STEP_S, GpuDevice, GpuReading, GpuTrace
from backends.model.values import Count, Missing, Quantity
from widgets.charts import bar, resampled, share_tone, sparkline
from widgets.format import MISSING, bytes_text, number_text
from widgets.line import Line, Span, Tone, line
from widgets.text import inert

LIT, LOST, WARNING = "▸", "✕", "▲"
# °C from which a device is warm, and near its slowdown, where it does not tell its own: NVIDIA's H100 and A100 slow
# down from 87 to 95 °C.
_HEAT = ((85.0, Tone.BAD), (75.0, Tone.WARN), (0.0, Tone.PLAIN))
_NEAR_C = 10.0  # so near to its own slowdown a device is called warm


def share_of(part: Quantity, whole: Quantity) -> float | None:
    """Part of the whole (1.0 = all), None where either is missing."""
    if isinstance(part, Missing) or isinstance(whole, Missing) or not whole:
        return None
    return part / whole


def use_share(reading: GpuReading) -> float | None:
    """How busy it is (1.0 = always), None where that is missing."""
    return None if isinstance(reading.gpu_percent, Missing) else reading.gpu_percent / 100


def gauge(share: float | None, cells: int, *, tone: Tone | None = None) -> Line:
    """A bar, or a dashed track where there is no value."""
    return line(("╌" * cells, Tone.FAINT)) if share is None else bar(share, cells, tone=tone)


def spark(values: Sequence[float | None], cells: int) -> Span:
    """Percentages of the last minutes in so many cells."""
    averages = resampled(values, cells, whole=RECENT_S // RECENT_STEP_S)
    return Span(sparkline(averages, cells, top=100.0), Tone.OK_AREA)


def use_spark(trace: GpuTrace | None, cells: int) -> Span:
    """How busy a device was in the last minutes; blank where nothing is known."""
    return spark(trace.recent_use if trace is not None else (), cells)


def heat(reading: GpuReading) -> Span:
    """The temperature: "70 °C", "▲ 91 °C" where it is near the slowdown."""
    value, slowdown = reading.temperature_c, reading.device.slowdown_c
    if isinstance(value, Missing):
        return Span(MISSING, Tone.DIM)
    levels = _HEAT if isinstance(slowdown, Missing) else ((slowdown, Tone.BAD), (slowdown - _NEAR_C, Tone.WARN))
    tone = share_tone(value, levels)
    sign = f"{WARNING} " if tone in {Tone.WARN, Tone.BAD} else ""
    return Span(sign + number_text(value, "°C"), tone)


def power_text(reading: GpuReading) -> str:
    """ "383 / 400 W", without the limit where that is missing."""
    if isinstance(reading.power_w, Missing) or isinstance(reading.power_limit_w, Missing):
        return number_text(reading.power_w, "W")
    return f"{reading.power_w:.0f} / {reading.power_limit_w:.0f} W"


def pair_text(used: Count, total: Count) -> str:
    """Used beside all: "63 / 80 GiB", the unit once where both have the same."""
    first, second = bytes_text(used), bytes_text(total)
    if first == MISSING or second == MISSING:
        return first if second == MISSING else f"{first} / {second}"
    number, unit = first.split(" ")
    return f"{number} / {second}" if second.endswith(f" {unit}") else f"{first} / {second}"


def free_text(reading: GpuReading) -> str:
    """What is left of its memory: "22 GiB free", "" where the driver does not tell."""
    free = bytes_text(reading.memory_free_bytes)
    return "" if free == MISSING else f"{free} free"


def process_text(reading: GpuReading) -> str:
    """How many processes it has: "2 processes"; "processes –" where the driver lists none for a reason."""
    if reading.processes_refused:
        return f"processes {MISSING}"
    count = len(reading.processes)
    return "no process" if not count else f"{count} process" + ("es" if count > 1 else "")


def short_name(device: GpuDevice) -> str:
    """The name without its vendor's, which says nothing where space is short: "A100-SXM4-80GB"."""
    name = inert(device.name).strip()
    first, _, rest = name.partition(" ")
    return rest.strip() if rest.strip() and first.lower() == device.vendor.lower() else name


def throttle_text(reading: GpuReading) -> str:
    """Why it runs slower than it could, "" where it does not or that is not told."""
    throttled = reading.clocks.throttled
    return "" if isinstance(throttled, Missing) else ", ".join(map(inert, throttled))


def sentence(text: str) -> str:
    """Foreign text with a capital at its beginning."""
    clean = inert(text).strip()
    return clean[:1].upper() + clean[1:]
