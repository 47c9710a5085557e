"""Grouped bars as plain SVG, readable on light and on dark ground."""

import html
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

WIDTH = 900
# Of one chart: where its bars stand, and room above and below for its title and its groups' names.
LEFT, RIGHT, TOP, BARS, BOTTOM = 56, 16, 44, 190, 40
LEGEND = 30
BAR_GAP, GROUP_GAP = 1.5, 14.0
MOST_TICKS = 6

# Colours that differ in brightness as well, and stand out from white and from near-black.
COLOURS = ["#e8590c", "#868e96", "#1c7ed6", "#2b8a3e", "#ae3ec9", "#c99700"]
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 14px }
.value { font-size: 10px }
.grid { stroke: #8888; stroke-width: 0.5 }
.one { stroke: #888; stroke-width: 1.5; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>"""


@dataclass(frozen=True)
class Chart:
    """`values` by series, one for each group; None leaves a gap. `line`: a value that is marked across. Bars beyond
    `most` are cut there, and have their value above them all the same."""

    title: str
    groups: Sequence[str]
    values: dict[str, Sequence[float | None]]
    line: float | None = None
    most: float = math.inf


def svg(charts: Sequence[Chart], colours: dict[str, str]) -> str:
    """The charts one below the other, with one legend for all of them."""
    height = LEGEND + len(charts) * (TOP + BARS + BOTTOM)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{html.escape("; ".join(chart.title for chart in charts))}">',
        STYLE,
        *legend(colours),
    ]
    for number, chart in enumerate(charts):
        parts.append(f'<g transform="translate(0 {LEGEND + number * (TOP + BARS + BOTTOM)})">')
        parts.extend(drawn(chart, colours))
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])


def colours_of(series: Sequence[str]) -> dict[str, str]:
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(series)}


def legend(colours: dict[str, str]) -> Iterator[str]:
    x = float(LEFT)
    for name, colour in colours.items():
        yield f'<rect x="{x:.0f}" y="9" width="12" height="12" rx="2" fill="{colour}"/>'
        yield text(x + 17, 19, name)
        x += 17 + 7 * len(name) + 22


def drawn(chart: Chart, colours: dict[str, str]) -> Iterator[str]:
    known = [value for series in chart.values.values() for value in series if value is not None]
    highest = min(chart.most, max([*known, chart.line or 0.0, 1e-9]))
    step = tick_step(highest)
    top = step * math.ceil(highest / step)

    def y(value: float) -> float:
        return TOP + BARS * (1 - min(value, top) / top)

    yield text(LEFT, 22, chart.title, "title")
    for tick in range(round(top / step) + 1):
        at = y(tick * step)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield text(LEFT - 6, at + 4, f"{tick * step:g}", anchor="end")
    room = (WIDTH - LEFT - RIGHT) / len(chart.groups)
    for number, group in enumerate(chart.groups):
        left = LEFT + number * room
        yield text(left + room / 2, TOP + BARS + 20, group, anchor="middle")
        yield from bars(chart, number, left + GROUP_GAP / 2, room - GROUP_GAP, colours, y)
    if chart.line is not None:
        yield f'<line class="one" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(chart.line):.1f}" y2="{y(chart.line):.1f}"/>'


def bars(
    chart: Chart, group: int, left: float, room: float, colours: dict[str, str], y: Callable[[float], float]
) -> Iterator[str]:
    """Those of one group, each with its value above it."""
    width = room / len(chart.values)
    for place, (series, values) in enumerate(chart.values.items()):
        value = values[group]
        if value is None:
            continue
        x, at = left + place * width, y(value)
        yield (
            f'<rect x="{x:.1f}" y="{at:.1f}" width="{width - BAR_GAP:.1f}" height="{TOP + BARS - at:.1f}" '
            f'fill="{colours[series]}"><title>{html.escape(f"{series}: {value:.2f}")}</title></rect>'
        )
        yield text(x + (width - BAR_GAP) / 2, at - 3, short(value), "value", "middle")


def text(x: float, y: float, what: str, style: str = "", anchor: str = "start") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{kind}>{html.escape(what)}</text>'


def short(value: float) -> str:
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def tick_step(most: float) -> float:
    """1, 2 or 5 times a power of ten, so that there are few of them."""
    power = 10.0 ** math.floor(math.log10(most / MOST_TICKS))
    return next(step for factor in (1, 2, 5, 10) if (step := factor * power) * MOST_TICKS >= most)
