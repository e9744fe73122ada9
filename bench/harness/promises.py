"""What must hold in every scenario."""

from dataclasses import dataclass

from traffic import count, share

# The rest of a phase must hold at least this many seconds to say that goodput is back.
LEAST_SECONDS = 2


@dataclass
class Promise:
    """What was promised, what was measured, and whether it holds."""

    what: str
    limit: str
    measured: str
    held: bool


def goodput_is_back(traffic, within):
    """From some second on, the rest of the phase is as good as before, but for 5 %."""
    after, wanted = traffic.of("after"), 0.95 * share(traffic.of("before"))
    back = next((second for second in range(len(after) - LEAST_SECONDS) if share(after[second:]) >= wanted), None)
    measured = f"after {back} s" if back is not None else f"never: {share(after[-LEAST_SECONDS:]):.0%} in the end"
    return Promise("goodput is back to 95 % of before", f"within {within} s", measured, back is not None and back <= within)


def liveness(watch):
    answers = sum(watch.alive.values())
    measured = f"{answers} of {answers + len(watch.not_alive)}"
    if watch.not_alive:
        measured += f" (not {watch.not_alive[0]})"
    return Promise("/livez answers 200, whatever happens", "all", measured, answers > 0 and not watch.not_alive)


def no_amplification(made, traffic, names):
    """Each of these requests needs one call to orders."""
    needed = sum(count(traffic.seconds, names, "tries"))
    limit = 1.1 * needed + len(traffic.seconds)
    return Promise("calls to orders, retries included", f"≤ {limit:,.0f}", f"{made:,} for {needed:,} requests", made <= limit)
