#!/usr/bin/python3
"""Makes a Markdown table and an SVG plot of what benchmarks/end_to_end.py --json has left.

    benchmarks/report.py RESULTS.json --markdown FILE --svg FILE [--readme README.md --plot PATH_IN_README]

With --readme, the text between the two markers of the README is replaced by the plot and the table.
"""

import argparse
import json
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "benchmarks")]

from clients import BASELINE, CLIENTS  # noqa: E402
from plot import Chart, colours_of, svg  # noqa: E402
from results import OURS  # noqa: E402

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
# Beyond that, bars of the fast ones could not be told apart any more.
MOST_CPU_US = 20.0


def markdown(results: dict[str, Any]) -> Iterator[str]:
    clients = clients_of(results)
    yield (
        f"PostgreSQL {results['server'].split()[0]} and client on the same {results['cores']} cores; medians of "
        f"{results['rounds']} interleaved rounds over the same log"
        + ("." if results["scale"] == 1 else f", at {results['scale']:g} times the size.")
    )
    yield ""
    yield f"| thousand rows/s (times {BASELINE}) | " + " | ".join(clients) + " |"
    yield from body(results, clients, lambda w, c: figure(w, c, "rows_per_second", "rows_per_second", 1e-3, 0))
    yield ""
    yield f"| client's CPU, µs a change (times {BASELINE}) | " + " | ".join(clients) + " |"
    yield from body(results, clients, lambda w, c: figure(w, c, "client_cpu_us", "client_cpu", 1.0, 2))
    yield ""
    yield "| walsender's CPU, µs a change (busy) | " + " | ".join(clients) + " |"
    yield from body(results, clients, sender)
    yield ""
    yield "| peak memory, MiB | " + " | ".join(clients) + " |"
    yield from body(results, clients, lambda w, c: figure(w, c, "peak_mib", "", 1.0, 0))
    yield ""
    yield from foot(results)


def body(results: dict[str, Any], clients: list[str], cell: Callable[[dict[str, Any], str], str]) -> Iterator[str]:
    yield "|---|" + "---|" * len(clients)
    for workload in results["workloads"].values():
        cells = [cell(workload, client) if client in workload["medians"] else "-" for client in clients]
        yield f"| {workload['what']} | " + " | ".join(cells) + " |"


def figure(workload: dict[str, Any], client: str, name: str, ratio: str, factor: float, digits: int) -> str:
    value = f"{workload['medians'][client][name] * factor:.{digits}f}"
    compared = workload[f"over_{BASELINE}"].get(client, {}).get(ratio)
    return value if compared is None else f"{value} ({compared:.2f})"


def sender(workload: dict[str, Any], client: str) -> str:
    median = workload["medians"][client]
    return f"{median['sender_cpu_us']:.2f} ({median['sender_busy']:.0%})"


def foot(results: dict[str, Any]) -> Iterator[str]:
    """Who they are, and who was left out."""
    for client in clients_of(results):
        yield f"- {client}: {CLIENTS[client].what}"
    for client, why in results["skipped"].items():
        yield f"- {client} was left out: {why}"
    for name, workload in results["workloads"].items():
        for client, why in workload["failed"].items():
            yield f"- {client} was left out of {name}: {why.splitlines()[0]}"


def clients_of(results: dict[str, Any]) -> list[str]:
    """Those that ran at all, in the order of their table."""
    ran = {client for workload in results["workloads"].values() for client in workload["medians"]}
    return [client for client in CLIENTS if client in ran]


def plot(results: dict[str, Any]) -> str:
    clients = clients_of(results)
    groups = list(results["workloads"])
    speed: dict[str, list[float | None]] = {client: [] for client in clients if client != BASELINE}
    cpu: dict[str, list[float | None]] = {client: [] for client in clients}
    for workload in results["workloads"].values():
        for client, values in speed.items():
            values.append(workload[f"over_{BASELINE}"].get(client, {}).get("rows_per_second"))
        for client, values in cpu.items():
            values.append(workload["medians"].get(client, {}).get("client_cpu_us"))
    charts = [
        Chart(f"rows/s, as times of {BASELINE} (raw frames, nothing decoded): more is better", groups, speed, 1.0),
        Chart("the client's CPU, µs a change: less is better", groups, cpu, most=MOST_CPU_US),
    ]
    return svg(charts, colours_of(clients))


def update(readme: pathlib.Path, picture: str, table: str) -> None:
    text = readme.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{readme} needs one line {BEGIN} and one line {END}")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    readme.write_text(f"{before}{BEGIN}\n![{OURS} and others]({picture})\n\n{table}{END}{after}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path, required=True)
    parser.add_argument("--svg", type=pathlib.Path, required=True)
    parser.add_argument("--readme", type=pathlib.Path)
    parser.add_argument("--plot", default="docs/benchmarks.svg", help="how the README names the plot")
    options = parser.parse_args()
    results = json.loads(options.results.read_text())
    table = "\n".join(markdown(results)) + "\n"
    options.markdown.write_text(table)
    options.svg.write_text(plot(results))
    if options.readme:
        update(options.readme, options.plot, table)


if __name__ == "__main__":
    main()
