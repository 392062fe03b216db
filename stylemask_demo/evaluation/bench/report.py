"""What `bench` tells, as tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Seconds of one result, the same in large convolutions, and how many times as long the plain way takes."""

    what: str
    seconds: float
    convolutions: float
    plain: float | None


@dataclass(frozen=True)
class Share:
    """Seconds of one picture from its code, operations of its convolutions, and the part of the peak that they reach."""

    what: str
    seconds: float
    operations: float
    share: float


@dataclass(frozen=True)
class Report:
    """All that was measured; `peaks` are operations a second by precision, `memory` is in MB, of the pack's own work."""

    machine: str
    device: str
    pack: str
    peaks: dict[str, float]
    rows: list[Row]
    shares: list[Share]
    memory: int


def to_markdown(report: Report) -> str:
    """The report as Markdown."""
    seconds = "CPU seconds" if report.device == "cpu" else "seconds"
    peaks = ", ".join(f"{peak / 1e9:.0f} GFLOPS in {precision}" for precision, peak in report.peaks.items())
    lines = [
        f"# Bench: {report.pack} on {report.machine}",
        "",
        f"One large convolution: {peaks}. Memory: {report.memory} MB at most.",
        "",
        f"| what | {seconds} | convolutions | times as long by the plain way |",
        "|---|---|---|---|",
        *(f"| {row.what} | {row.seconds:.3f} | {row.convolutions:.2f} | {_plain(row.plain)} |" for row in report.rows),
        "",
        f"| what | {seconds} | GFLOP | part of the peak |",
        "|---|---|---|---|",
        *(f"| {one.what} | {one.seconds:.3f} | {one.operations / 1e9:.1f} | {one.share:.0%} |" for one in report.shares),
    ]
    return "\n".join(lines) + "\n"


def _plain(times: float | None) -> str:
    return "" if times is None else f"{times:.1f}"
