"""The report in Markdown and JSON."""

import dataclasses
import json
from collections.abc import Mapping, Sequence

from stylemask_demo.evaluation.bars import CROSS, SELF, Verdict
from stylemask_demo.evaluation.judge.measures import ERRORS, OF_A_COPY


def to_json(report: Mapping) -> str:
    """The report as JSON."""
    return json.dumps(report, indent=1, default=dataclasses.asdict, allow_nan=False) + "\n"


def to_markdown(report: Mapping) -> str:
    """The report as Markdown: a table for each part, the pass/fail table last."""
    parts = [f"# Measured: {report['pack']}", _facts(report["data"])]
    for name in ("extractor", "inversion"):
        if name in report:
            parts += [f"## {name.capitalize()}", _facts(report[name])]
    for name in (SELF, CROSS):
        if name in report:
            parts += [f"## {name.capitalize()}", _matrix("way", report[name])]
    if "sliders" in report:
        parts += ["## Sliders", _matrix("slider", report["sliders"])]
    if "judged" in report:
        parts += ["## Judged by outside eyes", _judged(report["judged"])]
    if report.get("agreement"):
        parts += ["## The pack's own reading against the judge's", _matrix("reading", report["agreement"])]
    for name, kinds in report.get("groups", {}).items():
        rows = {f"{kind}: {group}": values for kind, groups in kinds.items() for group, values in groups.items()}
        parts += [f"## By group: {name}", _matrix("group", rows)]
    if report.get("bars"):
        parts += ["## Bars", _bars(report["bars"])]
    if report["left out"]:
        parts += ["## Left out", "\n".join(f"- {line}" for line in report["left out"])]
    return "\n\n".join(parts) + "\n"


def _facts(values: Mapping[str, float]) -> str:
    return _table(["measured", "value"], [[name, _number(value)] for name, value in values.items()])


def _matrix(corner: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    """One line for each row; the columns are all that any row has."""
    columns = list(dict.fromkeys(name for values in rows.values() for name in values))
    lines = [[name, *(_number(values[c]) if c in values else "" for c in columns)] for name, values in rows.items()]
    return _table([corner, *columns], lines)


def _judged(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Errors with what copying the source would miss in brackets."""
    columns = [
        name
        for name in dict.fromkeys(name for values in rows.values() for name in values)
        if name.removesuffix(OF_A_COPY) == name
    ]
    head = [f"{name} (of a copy)" if name in ERRORS else name for name in columns]
    lines = []
    for row, values in rows.items():
        cells = [_number(values[name]) if name in values else "" for name in columns]
        copies = [f" ({_number(values[name + OF_A_COPY])})" if name + OF_A_COPY in values else "" for name in columns]
        lines.append([row, *(cell + copy for cell, copy in zip(cells, copies, strict=True))])
    return _table(["result", *head], lines)


def _bars(verdicts: Sequence[Verdict]) -> str:
    lines = [[v.what, _number(v.measured), v.bar, "pass" if v.held else "**fail**"] for v in verdicts]
    passed = sum(v.held for v in verdicts)
    return f"{passed} of {len(verdicts)} hold.\n\n" + _table(["what", "measured", "bar", "verdict"], lines)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"
