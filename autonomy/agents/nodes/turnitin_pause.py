"""Where a run has waited for a similarity report: it reads what came, says whether that is enough, and what follows.

The run stands before this node while it waits (`turnitin.gate`); nothing of it is held meanwhile, and no model is asked here.
"""

from __future__ import annotations

import json

from autonomy.agents import critic, gathered, planning
from autonomy.agents.context import Context
from autonomy.agents.reported import reported
from autonomy.core.graph import END, Update
from autonomy.core.state import GraphState
from autonomy.core.types import Gate, Verdict
from autonomy.turnitin.cycles import Cycle


async def turnitin_pause(state: GraphState, context: Context) -> Update:
    """Routes to plan: to deliver (accepted, or the last cycle is used up) or to revise what the report flags; to END, as
    failed, where no report came and the policy wants nothing that nobody has measured."""
    step = planning.find(planning.load(state), state["current"] or "")
    n, most = int(step.arguments["n"]), int(step.arguments["most"])
    cycle = context.cycles.of(n)
    words = reported(critic.language_of(state))
    if cycle.observed is None and cycle.on_expiry == "fail":
        why = f"no report came for draft {n} ({cycle.why})"
        context.emit("decision", {"route": END, "why": why, "figures": {}, "step": step.id}, node="turnitin_pause")
        return {"current": None, "outcome": "failed", "error": why, "route": END}
    if cycle.observed is None:
        why = f"no report came for draft {n} ({cycle.why}): delivers it as it is, and says so"
        note = words.unreported.format(target=_percent(cycle.target))
        return _go_on(state, context, step.id, "fail", why, (), note=note)
    gate = Gate(name="similarity", figure=cycle.observed, threshold=cycle.target, passed=cycle.observed <= cycle.target)
    figures = f"draft {n}: {_percent(cycle.observed)} similar, wanted at most {_percent(cycle.target)}"
    if doubts := json.loads(cycle.report or "{}").get("doubts"):
        figures += f" (the report may be about another text: {'; '.join(doubts)})"
        gathered.keep_notes(context, f"report-{n}", (words.doubtful.format(n=n, why="; ".join(doubts)),))
    if gate.passed:
        why = f"{figures}: accepted"
        context.cycles.decide(cycle, "accepted", why)
        return _go_on(state, context, step.id, "pass", why, (gate,))
    if n < most:
        why = f"{figures}: revises what the report flags"
        context.cycles.decide(cycle, "rejected", why)
        return _go_on(state, context, step.id, "patch", why, (gate,))
    best = _best(context, n)
    why = f"{figures}, and {most} of {most} reports are used up: delivers draft {best.n}, the nearest, with a note"
    context.cycles.decide(cycle, "rejected", why)
    for key, section in (context.records.get("handed", str(best.n)) or {}).items():
        context.records.put("section", key, section, context.records.number("section", key))
    note = words.above.format(observed=_percent(best.observed or 0.0), target=_percent(cycle.target), n=most)
    return _go_on(state, context, step.id, "fail", why, (gate,), note=note)


def _best(context: Context, n: int) -> Cycle:
    """The cycle with the lowest similarity, the latest of equals."""
    seen = [context.cycles.of(number) for number in range(1, n + 1)]
    return min(reversed([cycle for cycle in seen if cycle.observed is not None]), key=lambda cycle: cycle.observed or 0.0)


def _go_on(
    state: GraphState,
    context: Context,
    step: str,
    decision: str,
    why: str,
    gates: tuple[Gate, ...],
    *,
    note: str | None = None,
) -> Update:
    verdict = Verdict.model_validate({"step": step, "decision": decision, "notes": why, "gates": gates})
    context.emit("decision", {"route": "plan", "why": why, "figures": _figures(gates), "step": step}, node="turnitin_pause")
    number = state["step"]
    context.records.put("episode", f"{number:06d}-verdict", verdict.model_dump(mode="json"), number * 10 + 2)
    update: Update = {"verdict": verdict.model_dump(mode="json"), "current": None, "route": "plan"}
    if note is not None:
        update |= {"notes": [*state["notes"], note], "outcome": "target_not_reached"}
    return update


def _figures(gates: tuple[Gate, ...]) -> dict[str, object]:
    return {name: value for gate in gates for name, value in ((gate.name, gate.figure), ("target", gate.threshold))}


def _percent(value: float) -> str:
    return f"{value:g} %"
