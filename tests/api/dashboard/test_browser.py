"""The dashboard in a real browser: what a person sees, presses, and is kept up to date about."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from autonomy.providers.script import GOOD, Asked, Behaviour
from autonomy.providers.scripted import ScriptedServer
from tests.api.dashboard.conftest import Site, serving, window
from tests.commands import CORPUS, Commands, Workspace, copy_template

PATIENCE_MS = 60_000
GOAL = "How do leases and fencing keep a job queue safe"
HOSTILE = 'How do <img src=x onerror="window.pwned=1"> leases <script>window.pwned=1</script> keep a queue safe'
EVIL_TITLE = "Queues <img src=x onerror=window.pwned=1> in plain words"
ADMIN = {"AUTONOMY_ADMIN_TOKEN": "an admin's token of these tests"}
expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def held(site: Site, server: ScriptedServer) -> Iterator[Callable[[], None]]:
    """Model answers that wait until the function that is handed out lets them go; at the end they go anyway."""
    gate = threading.Event()

    def script(asked: Asked) -> Behaviour:
        gate.wait(PATIENCE_MS / 1000)
        return GOOD

    server.script = script
    tasks = f'[tasks]\ncorpus = "docs"\n\n[corpora]\ndocs = "{CORPUS}"\n'
    site.workspace.configure(server.base_url, rest=tasks)
    try:
        yield gate.set
    finally:
        gate.set()


def chip(page: Page) -> Any:
    """The state of the run that the page shows."""
    return page.locator("#run-head .chip")


def mark(page: Page) -> None:
    """Leave something in the page that a reload would take away."""
    page.evaluate("window.unchanged = true")


def assert_not_reloaded(page: Page) -> None:
    assert page.evaluate("window.unchanged") is True


def story(page: Page) -> list[str]:
    """The ids of the events that the page tells, newest first."""
    found: list[str] = page.eval_on_selector_all("#story > li", "lines => lines.map(line => line.id)")
    return found


# -- live -----------------------------------------------------------------------------------------------


def test_a_task_is_approved_and_its_run_is_watched_to_its_end(browser: Browser, site: Site, server: ScriptedServer) -> None:
    with held(site, server) as let_go, window(browser, site.url) as watched:
        site.start()
        site.task(GOAL, "--journey", "research")
        page = watched.open("/tasks")
        page.get_by_role("link", name=GOAL).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(GOAL)
        page.get_by_role("button", name="Approve and start").click()
        expect(page.locator("#flash")).to_contain_text("Approved")
        page.get_by_role("link", name="Its run").click()
        expect(chip(page)).to_have_text("running")
        expect(page.locator("#link")).to_have_text("Live")
        mark(page)
        let_go()
        expect(chip(page)).to_have_text("delivered")
        expect(page.locator("#announce")).to_have_text("The run is now: delivered")
        expect(page.locator("#story > li").first).to_contain_text("Ended: delivered")
        expect(page.locator("#plan .tally")).to_have_text(re.compile(r"^(\d+) of \1$"))
        expect(page.get_by_role("button", name="Pause")).to_have_count(0)
        expect(page.locator("#gates tbody tr")).not_to_have_count(0)
        expect(page.locator("#sources li")).not_to_have_count(0)
        assert_not_reloaded(page)
        seen = story(page)
        page.reload()
        assert story(page) == seen
        page.get_by_role("link", name="deliverable.md", exact=True).click()
        assert page.evaluate("document.contentType") == "text/plain"
        page.go_back()
        watched.check()


def test_a_run_is_paused_and_resumed_in_place(browser: Browser, site: Site, server: ScriptedServer) -> None:
    with held(site, server) as let_go, window(browser, site.url) as watched:
        site.start()
        page = watched.open(f"/runs/{site.run(GOAL)}")
        expect(chip(page)).to_have_text("running")
        mark(page)
        page.get_by_role("button", name="Pause").click()
        expect(page.locator("#flash")).to_have_text("It pauses at its next step.")
        let_go()
        expect(chip(page)).to_have_text("paused")
        expect(page.locator("#story > li").first).to_contain_text("Paused")
        page.get_by_role("button", name="Resume").click()
        expect(chip(page)).to_have_text("delivered")
        expect(page.locator("#story")).to_contain_text("Goes on: a person resumed it")
        assert_not_reloaded(page)
        watched.check()


def test_a_page_comes_back_by_itself_after_the_server_was_killed_and_started_again(
    browser: Browser, site: Site, server: ScriptedServer
) -> None:
    with held(site, server) as let_go, window(browser, site.url) as watched:
        site.start()
        run_id = site.run(GOAL)
        page = watched.open(f"/runs/{run_id}")
        expect(chip(page)).to_have_text("running")
        expect(page.locator("#link")).to_have_text("Live")
        mark(page)
        site.kill()
        expect(page.locator("#link")).to_have_text("Reconnecting…")
        expect(page.locator("#link")).to_be_visible()
        site.cli("run", "budget", run_id, "--tokens", "900000")  # happens while nobody can tell the page
        site.start()
        expect(page.locator("#link")).to_have_text("Live")
        expect(page.locator("#story")).to_contain_text("Limits changed: tokens 900k")
        let_go()
        expect(chip(page)).to_have_text("delivered")
        expect(page.locator("#story > li").first).to_contain_text("Ended: delivered")
        assert_not_reloaded(page)
        seen = story(page)
        page.reload()
        assert story(page) == seen
        watched.check(was_down=True)


def test_lists_follow_what_happens_elsewhere(browser: Browser, site: Site) -> None:
    with window(browser, site.url) as watched:
        site.start()
        page = watched.open("/")
        expect(page.locator("#deciding")).to_contain_text("Nothing waits for a decision.")
        mark(page)
        task_id = site.task(GOAL, "--journey", "research")
        expect(page.locator("#deciding").get_by_role("link", name=GOAL)).to_be_visible()
        site.cli("tasks", "reject", task_id, "--reason", "not now")
        expect(page.locator("#deciding")).to_contain_text("Nothing waits for a decision.")
        assert_not_reloaded(page)
        watched.check()


# -- steering -------------------------------------------------------------------------------------------


def test_limits_are_changed_and_a_run_is_aborted_after_a_question(browser: Browser, site: Site) -> None:
    site.workers = 0
    with window(browser, site.url) as watched:
        site.start()
        page = watched.open(f"/runs/{site.run(GOAL)}")
        mark(page)
        page.get_by_text("Change limits…").click()
        page.get_by_label("Tokens, in tokens").fill("5000")
        page.get_by_label("Time, in seconds").fill("")
        page.get_by_role("button", name="Set limits").click()
        expect(page.locator("#flash")).to_have_text("The limits are set.")
        expect(page.locator("#budgets")).to_contain_text("of 5,000")
        expect(page.locator("#story > li").first).to_contain_text("tokens 5,000, seconds unlimited")
        expect(page.get_by_role("button", name="Abort the run")).to_be_hidden()
        page.get_by_text("Abort…").click()
        expect(page.get_by_text("Stop this run for good?")).to_be_visible()
        page.get_by_role("button", name="Abort the run").click()
        expect(chip(page)).to_have_text("stopped")
        expect(page.get_by_text("Change limits…")).to_have_count(0)
        assert_not_reloaded(page)
        watched.check()


def test_a_refusal_is_told_on_the_page_and_what_was_typed_stays(browser: Browser, site: Site) -> None:
    site.workers = 0
    with window(browser, site.url) as watched:
        site.start()
        task_id = site.task(GOAL)
        page = watched.open(f"/tasks/{task_id}")
        expect(page.locator("#link")).to_have_text("Live")
        page.get_by_text("Reject…").click()
        page.get_by_label("Reason, for whoever asked").fill("we have this")
        page.route("**/api/events*", lambda route: route.abort())
        page.evaluate("leave()")  # the page does not hear that somebody else is faster
        site.cli("tasks", "approve", task_id)
        page.get_by_role("button", name="Reject", exact=True).click()
        expect(page.locator("#flash")).to_contain_text("is approved already")


def test_pages_and_forms_work_without_a_script(browser: Browser, site: Site) -> None:
    site.workers = 0
    with window(browser, site.url, java_script_enabled=False) as watched:
        site.start()
        task_id = site.task(GOAL, "--journey", "research")
        page = watched.open(f"/tasks/{task_id}")
        page.get_by_text("Reject…").click()
        page.get_by_label("Reason, for whoever asked").fill("we have this")
        page.get_by_role("button", name="Reject", exact=True).click()
        expect(page.locator("#flash")).to_have_text("Rejected.")
        expect(page.locator("#decide")).to_contain_text("we have this")
        page = watched.open(f"/runs/{site.run(GOAL)}")
        page.get_by_role("button", name="Pause").click()
        expect(chip(page)).to_have_text("paused")


# -- safety ---------------------------------------------------------------------------------------------


def test_text_of_people_and_documents_is_inert_everywhere(browser: Browser, site: Site) -> None:
    folder = site.workspace.home / "evil"
    folder.mkdir()
    text = "A lease keeps a job queue safe, because fencing tokens reject <img src=x onerror=window.pwned=1> late writers.\n"
    (folder / "queues.md").write_text(f"# {EVIL_TITLE}\n\n{text * 6}")
    (site.workspace.home / "autonomy.toml").write_text(f'[tasks]\ncorpus = "docs"\n\n[corpora]\ndocs = "{folder}"\n')
    (site.workspace.home / "ssot").mkdir(exist_ok=True)
    (site.workspace.home / "ssot" / "<img src=x onerror=window.pwned=1>.json").write_text("{")
    with window(browser, site.url) as watched:
        site.start()
        task_id = site.task(HOSTILE, "--journey", "research")
        site.cli("tasks", "approve", task_id)
        page = watched.open(f"/tasks/{task_id}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("<img src=x onerror=")
        page.get_by_role("link", name="Its run").click()
        expect(chip(page)).not_to_have_text("running")
        expect(page.locator("#link")).to_have_text("Ended")
        run = page.url.removeprefix(site.url)
        places = ("/", "/tasks", "/runs", f"/tasks/{task_id}", run, f"{run}?show=everything", "/memory?q=lease%20fencing")
        for path in (*places, "/memory?q=%3Cimg%20src%3Dx%20onerror%3D%22window.pwned%3D1%22%3E"):
            page = watched.open(path)
            assert page.locator("img, iframe, object, embed, body script").count() == 0, path
            assert page.evaluate("window.pwned") is None, path
        expect(watched.open("/tasks").locator(".notice")).to_contain_text("<img src=x onerror=window.pwned=1>.json")
        expect(watched.open("/memory?q=lease%20fencing").locator("h3").first).to_contain_text(EVIL_TITLE)
        watched.check()


def test_a_browser_signs_in_with_a_token_and_out_again(browser: Browser, site: Site) -> None:
    site.environ = dict(ADMIN)
    with window(browser, site.url) as watched:
        site.start()
        page = watched.open("/runs")
        assert page.url == f"{site.url}/login"
        page.get_by_label("Token").fill("not the token")
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#flash")).to_have_text("This token is not known here.")
        page.get_by_label("Token").fill(ADMIN["AUTONOMY_ADMIN_TOKEN"])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Waiting for you")).to_be_visible()
        (cookie,) = page.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.context.cookies() == []
        assert watched.open("/tasks").url == f"{site.url}/login"
        watched.check()


# -- everyone -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """A server with something on every kind of page."""

    url: str
    paths: tuple[str, ...]


@pytest.fixture(scope="module")
def shown(commands: Commands, _read: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Tasks and runs in several states, with long and hostile texts."""
    place = Workspace.make(tmp_path_factory.mktemp("shown") / "workspace")
    copy_template(_read.home / "autonomy.db", place.home)
    with serving(commands, place) as site:
        site.workers = 0
        site.start()
        task_id = site.task(f"{GOAL} {'and ' * 40}{'unbroken' * 30}", "--journey", "research")
        other = site.task(HOSTILE, "--journey", "research")
        site.cli("tasks", "approve", other)
        run_id = site.run(f"{GOAL} {'x' * 200}")
        site.cli("worker", "--until-idle")
        waiting = site.run("A second goal")
        (place.home / "ssot" / "damaged.json").write_text("{")
        runs = (f"/runs/{run_id}", f"/runs/{run_id}?show=everything", f"/runs/{waiting}", "/runs/nothing")
        yield Shown(site.url, ("/", "/tasks", f"/tasks/{task_id}", f"/tasks/{other}", "/runs", *runs, "/memory?q=leases"))


def open_all(page: Page) -> None:
    """Open whatever is closed."""
    for box in page.locator("summary").all():
        box.click()


def test_every_page_fits_a_phone(browser: Browser, shown: Shown) -> None:
    with window(browser, shown.url, viewport={"width": 360, "height": 740}) as watched:
        for path in shown.paths:
            page = watched.open(path)
            open_all(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_on_a_phone_the_document_of_a_delivered_run_comes_first(browser: Browser, shown: Shown) -> None:
    delivered, waiting = shown.paths[5], shown.paths[7]
    with window(browser, shown.url, viewport={"width": 375, "height": 667}) as watched:
        page = watched.open(delivered)
        read = page.get_by_role("link", name="Read the document")
        box = read.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 667, "it is seen before anything is scrolled"
        assert box["y"] < page.locator("#plan").bounding_box()["y"]  # type: ignore[index]
        read.click()
        assert page.evaluate("document.contentType") == "text/plain"
        assert page.locator("body").inner_text().startswith("# ")
        page = watched.open(waiting)
        expect(page.get_by_role("heading", level=1)).to_have_text("A second goal")
        expect(page.get_by_role("link", name="Read the document")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 900])
def test_the_step_at_work_or_the_last_one_is_in_sight_when_a_run_is_opened(browser: Browser, shown: Shown, width: int) -> None:
    with window(browser, shown.url, viewport={"width": width, "height": 900}) as watched:
        page = watched.open(shown.paths[5])
        frame = page.locator("#graph-scroll").bounding_box()
        last = page.locator(".graph:not(.flat) .step").last.bounding_box()
        assert frame is not None
        assert last is not None
        assert frame["x"] <= last["x"]
        assert last["x"] + last["width"] <= frame["x"] + frame["width"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        watched.check()


def test_the_document_can_be_saved_under_its_name(browser: Browser, shown: Shown) -> None:
    with window(browser, shown.url) as watched:
        page = watched.open(shown.paths[5])
        with page.expect_download() as saved:
            page.get_by_role("link", name="Save deliverable.md").click()
        assert saved.value.suggested_filename == "deliverable.md"
        assert Path(saved.value.path()).read_text("utf-8").startswith("# ")
        watched.check()


CONTROLS = frozenset(
    {"button", "link", "textbox", "searchbox", "spinbutton", "DisclosureTriangle", "table", "region", "navigation"}
)  # fmt: skip


def test_every_control_has_a_name_and_every_page_its_landmarks(browser: Browser, shown: Shown) -> None:
    with window(browser, shown.url) as watched:
        for path in shown.paths:
            page = watched.open(path)
            open_all(page)
            nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
            seen = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
            assert [role for role, name in seen if role in CONTROLS and not name.strip()] == [], path
            roles = [role for role, _ in seen]
            assert {"link", "navigation"} <= set(roles), path
            assert (roles.count("main"), roles.count("banner"), page.locator("h1").count()) == (1, 1, 1), path
            levels = page.eval_on_selector_all("h1, h2, h3, h4", "found => found.map(each => Number(each.tagName[1]))")
            assert levels[0] == 1, path
            assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), (path, levels)


def focused(page: Page) -> tuple[str, bool]:
    """What has the focus, by its text or label, and whether that can be seen."""
    found = page.evaluate(
        """() => {
            const at = document.activeElement;
            const ring = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
            const seen = ring(getComputedStyle(at)) || ring(getComputedStyle(at, "::after"));
            const label = at.labels && at.labels.length ? at.labels[0].textContent : at.getAttribute("aria-label");
            return [(label || at.textContent).trim().replace(/\\s+/g, " "), seen];
        }"""
    )
    return found[0], found[1]


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Press Tab until that has the focus; wherever it is meanwhile, it can be seen."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Tab")
        at, seen = focused(page)
        passed.append(at)
        assert seen, f"the focus is invisible on {at}"
        if at == name:
            return
    raise AssertionError(f"no way to {name}: {passed}")


def test_a_task_is_decided_and_a_run_steered_by_the_keyboard_alone(browser: Browser, site: Site) -> None:
    site.workers = 0
    with window(browser, site.url) as watched:
        site.start()
        site.task(GOAL, "--journey", "research")
        page = watched.open("/tasks")
        page.keyboard.press("Tab")
        assert focused(page) == ("Skip to the content", True)
        page.keyboard.press("Enter")
        tab_to(page, GOAL)
        page.keyboard.press("Enter")
        page.wait_for_url("**/tasks/*")
        tab_to(page, "Reject…")
        page.keyboard.press("Enter")
        tab_to(page, "Reason, for whoever asked")
        page.keyboard.press("Escape")
        assert focused(page) == ("Reject…", True)
        expect(page.get_by_label("Reason, for whoever asked")).to_be_hidden()
        page.keyboard.press("Shift+Tab")
        assert focused(page)[0] == "Approve and start"
        page.keyboard.press("Enter")
        expect(page.locator("#flash")).to_contain_text("Approved")
        assert page.evaluate("document.activeElement !== document.body")
        page.goto(page.url)
        tab_to(page, "Its run")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs/*")
        tab_to(page, "Pause")
        page.keyboard.press("Enter")
        expect(chip(page)).to_have_text("paused")
        assert focused(page)[0] == "Resume"
        page.keyboard.press("Enter")
        expect(chip(page)).to_have_text("queued")
        tab_to(page, "Abort…")
        page.keyboard.press("Space")
        tab_to(page, "Abort the run")
        page.keyboard.press("Enter")
        expect(chip(page)).to_have_text("stopped")
        watched.check()
