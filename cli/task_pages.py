"""Tasks on paper: the table of `tasks list` and the page of `tasks show`, within the terminal's width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autonomy.core.gates import is_open
from autonomy.services.task_words import UNDECIDED, Decided, decisions, is_stuck, lacks_corpus
from cli.output import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Output, columns, cut, plain, squeezed
from cli.pages import distinct, filled, pair, wrapped
from cli.places import from_here
from cli.wording import ago, several, size, status_word

COLOURS = {"pending": YELLOW, "needs_review": YELLOW, "approved": GREEN, "rejected": RED}
WORDS = {"needs_review": "needs review"}
VERDICTS = {"approve": ("accepted", GREEN), "reject": ("not accepted", YELLOW), "needs_review": ("left to a person", YELLOW)}
SHOWN_ENTRIES = 6


def task_table(rows: Sequence[Mapping[str, Any]], out: Output, runs: Mapping[str, str]) -> str:
    """One line a task: short id, status, outcome of its run, source, age, request; the request takes what width is left.
    `runs` is how each run that has not reported yet stands, by its id, as far as that is known."""
    owned = len({row["user_id"] for row in rows}) > 1
    short = distinct([row["task_id"] for row in rows])
    cells = [
        [
            row["task_id"][:short],
            WORDS.get(row["status"], row["status"]),
            _run(row, runs),
            row["source"],
            ago(row["created_at"]),
            *([cut(plain(row["user_id"]), 12, out.glyphs.more)] if owned else []),
        ]
        for row in rows
    ]
    titles = ["TASK", "STATUS", "RUN", "FROM", "ADDED", *(["USER"] if owned else []), "REQUEST"]
    widths = [max(columns(title), *(columns(line[at]) for line in cells)) for at, title in enumerate(titles[:-1])]
    room = max(min(out.width, 160) - sum(widths) - 2 * len(widths), 12)
    head = [*(filled(title, width) for title, width in zip(titles, widths, strict=False)), titles[-1]]
    lines = [out.paint("  ".join(head), DIM)]
    for row, line in zip(rows, cells, strict=True):
        shown = [filled(cell, width) for cell, width in zip(line, widths, strict=True)]
        shown[0] = out.paint(shown[0], BOLD)
        shown[1] = out.paint(shown[1], COLOURS.get(row["status"], 0))
        lines.append("  ".join([*shown, cut(squeezed(row["request_text"]), room, out.glyphs.more)]))
    return "\n".join(lines)


def _report(wanted: Mapping[str, Any]) -> str:
    observed = wanted.get("observed_similarity")
    found = "none yet" if observed is None else f"{observed:g} % similar"
    return f"{found}, wanted at most {wanted['target_similarity']:g} %"


def _run(row: Mapping[str, Any], runs: Mapping[str, str]) -> str:
    if row.get("outcome"):
        return plain(status_word(row["outcome"]))
    if row.get("report"):
        return "waits" if row["status"] == "pending" else "-"
    if is_stuck(row):
        return "cannot start"
    if not row.get("run_id"):
        return "-"
    stands = runs.get(row["run_id"])
    return "at work" if stands == "running" else status_word(stands) if stands else "started"


def task_page(page: Mapping[str, Any], out: Output, home: Path) -> str:
    """Everything about one task, most wanted first."""
    status = page["status"]
    outcome = plain(status_word(page["outcome"])) if page.get("outcome") else ""
    words = out.paint(WORDS.get(status, status), COLOURS.get(status, 0))
    lines = [
        f"{out.paint(page['task_id'], BOLD)}  {words}{f', {outcome}' if outcome else ''}",
        *wrapped(squeezed(page["request_text"]), out.width, 2),
        "",
        pair("from", _origin(page), out),
        pair("user", f"{plain(page.get('user_id', 'local'))}   added {ago(page['created_at'])}   {_changed(page)}", out),
        *(pair("decision" if number == 0 else "", line, out) for number, line in enumerate(_decisions(page))),
    ]
    if page.get("run_id"):
        ended = f" {ago(page['finished_at'])}" if page.get("finished_at") else ""
        lines.append(pair("run", f"{plain(page['run_id'])}{f'  {outcome}{ended}' if outcome else ''}", out))
    lines += [pair("document", plain(path), out) for path in documents(page, home)]
    if page.get("report"):
        drafts = (page["report"]["document"], *(page["report"].get("copies") or ()))
        lines += [
            *(pair("draft", plain(from_here(home, path)), out) for path in drafts),
            pair("report", _report(page["report"]), out),
        ]
    if page.get("ci_status"):
        lines.append(pair("build", plain(page["ci_status"]), out))
    if page.get("error"):
        lines.append(pair("error", out.paint(squeezed(page["error"]), RED), out))
    result = page.get("result") or {}
    for title, body in (
        ("Acceptance criteria", _criteria(page, out)),
        ("Declared scope", [squeezed(each["text"]) for each in page.get("declared_scope") or []]),
        ("Review", _review(page, out)),
        ("Work log", _log(result.get("work_log") or [], out)),
        ("Files", _files(result.get("diff_snapshot") or [], home, out)),
        ("Next", _next(page, out)),
    ):
        if body:
            lines += ["", out.paint(title, BOLD), *(f"  {line}" for line in body)]
    return "\n".join(lines)


def documents(page: Mapping[str, Any], home: Path) -> list[str]:
    """Where the documents are that the task's last run handed over, seen from the current folder."""
    return [from_here(home, str(row["path"])) for row in page.get("deliverables") or [] if row["role"] == "deliverable"]


def _origin(page: Mapping[str, Any]) -> str:
    journey = f", {plain(page['journey'])}" if page.get("journey") else ""
    other = page["correlation_id"] != page["task_id"]
    correlation = f", correlation {plain(page['correlation_id'])}" if other else ""
    return f"{plain(page['source'])}{journey}{correlation}"


def _changed(page: Mapping[str, Any]) -> str:
    return f"revision {page.get('revision', 1)}, last change {ago(page.get('updated_at') or page['created_at'])}"


def _decisions(page: Mapping[str, Any]) -> list[str]:
    """Every decision, the first one first, and what is still to be decided."""
    waits = UNDECIDED.get(page["status"])
    return [*(_decided(each, each.words) for each in decisions(page)), *([waits] if waits else [])]


def _decided(made: Decided, words: str) -> str:
    reason = f": {squeezed(made.reason)}" if made.reason else ""
    return f"{words} by {plain(made.by)} {ago(made.at)}{reason}"


def _criteria(page: Mapping[str, Any], out: Output) -> list[str]:
    """Each with its sign: met, not met, or open. No gate speaks of a criterion in free words, so it is for a person to say."""
    results = {each["criterion_ref"]: each for each in (page.get("result") or {}).get("criteria") or []}
    decided = page["status"] in ("approved", "rejected")
    lines = []
    for each in page.get("acceptance_criteria") or []:
        found = results.get(each["id"])
        unmeasured = found is not None and is_open(found)
        met = None if found is None or unmeasured else found["met"]
        sign, colour = (out.glyphs.todo, DIM) if met is None else (out.glyphs.done, GREEN) if met else (out.glyphs.failed, RED)
        note = f" (not measured{'' if decided else ': look yourself'})" if unmeasured else ""
        words = cut(squeezed(each["text"]), out.width - 6 - columns(each["id"]) - len(note), out.glyphs.more)
        lines.append(f"{out.paint(sign, colour)} {out.paint(plain(each['id']), DIM)} {words}{note}")
    return lines


def _review(page: Mapping[str, Any], out: Output) -> list[str]:
    """Each verdict with its issues, dispatch by dispatch, and what a person then said of it."""
    lines = []
    made = {each.n: each for each in decisions(page) if each.n}
    for each in page.get("dispatches") or []:
        verdict = each.get("verdict")
        if not verdict:
            continue
        word = out.paint(*VERDICTS[verdict["decision"]])
        lines.append(f"dispatch {each['n']} {word} by {plain(verdict['by'])} {ago(verdict['at'])}")
        for issue in verdict.get("issues") or []:
            text = f"  {plain(issue['criterion_ref'])}: {squeezed(issue['text'])}"
            lines.append(cut(text, out.width - 2, out.glyphs.more))
        if verdict.get("note"):
            lines += [line.removeprefix("  ") for line in wrapped(squeezed(verdict["note"]), out.width - 2, 4)]
        if each["n"] in made:
            ruling = made[each["n"]]
            word = out.paint(*(("accepted", GREEN) if ruling.good else ("rejected", RED)))
            lines.append(f"dispatch {each['n']} {_decided(ruling, word)}")
    return lines


def _log(entries: Sequence[Mapping[str, Any]], out: Output) -> list[str]:
    shown = entries[-SHOWN_ENTRIES:]
    lines = [
        f"{out.paint(plain(each['id']), DIM)} {cut(squeezed(each['what']), out.width - 10, out.glyphs.more)}" for each in shown
    ]
    before = len(entries) - len(shown)
    return [*([out.paint(f"{several(before, 'entry')} before", DIM)] if before else []), *lines]


def _files(rows: Sequence[Mapping[str, Any]], home: Path, out: Output) -> list[str]:
    named = [row for row in rows if "/sources/" not in str(row["path"])]
    lines = [f"{plain(from_here(home, row['path']))}  {out.paint(size(int(row['size'])), DIM)}" for row in named]
    stored = len(rows) - len(named)
    return [*lines, *([out.paint(f"and {several(stored, 'file')} of the stored sources", DIM)] if stored else [])]


def _next(page: Mapping[str, Any], out: Output) -> list[str]:
    task = page["task_id"][:12]
    if is_stuck(page):
        named = [f"autonomy tasks corpus {task} DIR"] if lacks_corpus(page) else []
        further = [f"autonomy tasks approve {task}"] if page["status"] == "pending" else [] if named else ["autonomy worker"]
        return [out.paint(line, CYAN) for line in [*named, *further]]
    if page.get("report"):
        waits = page["status"] == "pending"
        run = page["run_id"][:8]
        return [out.paint(f"autonomy turnitin {'report' if waits else 'status'} {run}{' FILE' if waits else ''}", CYAN)]
    if page["status"] in ("pending", "needs_review"):
        return [
            out.paint(f"autonomy tasks approve {task}", CYAN),
            out.paint(f"autonomy tasks reject {task} --reason TEXT", CYAN),
        ]
    if page.get("run_id"):
        return [out.paint(f"autonomy run explain {page['run_id'][:8]}", CYAN)]
    return [out.paint("autonomy worker", CYAN)] if page["status"] == "approved" and not page.get("result") else []
