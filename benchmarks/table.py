"""The results as one table, and as plain data for a JSON file."""

import statistics
from typing import Any

from .measuring import Results

# Measure -> (unit, factor from the sample, whether more is better; None: not compared).
MEASURES: dict[str, tuple[str, float, bool | None]] = {
    "import": ("ms", 1e3, False),
    "first step, cold": ("ms", 1e3, False),
    "first step": ("ms", 1e3, False),
    "step in fit": ("ms", 1e3, False),
    "predict(1)": ("us", 1e6, False),
    "call(1)": ("us", 1e6, False),
    "predict batches": ("samples/s", 1.0, True),
    "peak memory": ("MiB", 1.0, False),
    "loss": ("", 1.0, None),
}
OURS = "layerkit"


def medians(results: Results, workload: str, measure: str) -> dict[str, float]:
    """A measure's median by contestant, in the table's unit."""
    factor = MEASURES[measure][1]
    return {
        name: statistics.median(samples) * factor
        for (of, what, name), samples in results.samples.items()
        if (of, what) == (workload, measure)
    }


def ratio(found: dict[str, float], measure: str) -> float | None:
    """How many times better layerkit is than the best peer; None where either is missing."""
    better = MEASURES[measure][2]
    peers = [value for name, value in found.items() if name != OURS]
    if better is None or OURS not in found or not peers:
        return None
    return found[OURS] / max(peers) if better else min(peers) / found[OURS]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(results: Results, names: list[str], absent: list[str], workloads: list[str]) -> str:
    """The table's text: a row a measure, a column a contestant, failures below."""
    head = ["workload", "measure", "unit", *names, "best peer / layerkit"]
    rows = [head]
    for workload in ["", *workloads]:
        for measure, (unit, _, _) in MEASURES.items():
            found = medians(results, workload, measure)
            if not found:
                continue
            times = ratio(found, measure)
            cells = [_number(found[name]) if name in found else "-" for name in names]
            rows.append([workload, measure, unit, *cells, f"{times:.2f}" if times else "-"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = []
    for index, row in enumerate(rows):
        texts = [c.ljust(w) if i < 3 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        if index and row[0] != rows[index - 1][0]:
            lines.append("-" * (sum(widths) + 2 * len(widths) - 2))
        lines.append("  ".join(texts).rstrip())
    lines += [f"not installed, skipped: {name}" for name in absent]
    lines += [f"failed: {name}, {workload or 'import'}: {why}" for (workload, name), why in results.failures.items()]
    return "\n".join(lines)


def as_data(results: Results, workloads: list[str], absent: list[str]) -> dict[str, Any]:
    """Medians, ratios and every sample, ready for json.dump."""
    return {
        "versions": results.versions,
        "absent": absent,
        "failures": [
            {"workload": workload, "contestant": name, "error": why}
            for (workload, name), why in results.failures.items()
        ],
        "measures": [
            {
                "workload": workload,
                "measure": measure,
                "unit": unit,
                "medians": found,
                "best_peer_over_layerkit": ratio(found, measure),
                "samples": {name: results.samples[workload, measure, name] for name in found},
            }
            for workload in ["", *workloads]
            for measure, (unit, _, _) in MEASURES.items()
            if (found := medians(results, workload, measure))
        ],
    }
