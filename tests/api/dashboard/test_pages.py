"""The pages and forms over HTTP: who may see and do what, what a page of another site may not, what a file is shown as."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from lxml import html  # type: ignore[import-untyped]

from autonomy.services.tasks import NewTask
from tests.api.served import ADMIN, Served

FORM = {"content-type": "application/x-www-form-urlencoded"}
HTML = {"accept": "text/html"}


def task(served: Served, user: str = "local") -> str:
    """A pending task of the user."""
    spec = {"corpus": "docs"}
    made = served.app.tasks.create(NewTask(source="http", request_text="How do leases work?", user_id=user, task_spec=spec))
    return str(made.task["task_id"])


@pytest.fixture
def ann(served: Served) -> Iterator[httpx.Client]:
    """A user's client."""
    with served.client(served.token("ann")) as client:
        yield client


def test_a_stranger_is_sent_to_the_sign_in_page_and_a_program_is_told(served: Served) -> None:
    with served.client(None) as stranger:
        for path in ("/", "/tasks", "/runs", "/runs/abc", "/memory"):
            answer = stranger.get(path, headers=HTML)
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")
            assert stranger.get(path).status_code == 401
        page = stranger.get("/login", headers=HTML)
        assert page.status_code == 200
        (field,) = html.fromstring(page.text).xpath("//input[@autofocus]")
        assert field.get("name") == "token"
        assert stranger.post("/ui/tasks/abc/approve", headers=FORM).status_code == 401


def test_every_page_carries_the_policy_and_is_kept_by_nobody(admin: httpx.Client, served: Served) -> None:
    run_id, task_id = served.run(), task(served)
    for path in (
        "/",
        "/tasks",
        f"/tasks/{task_id}",
        "/runs",
        f"/runs/{run_id}",
        "/memory",
        "/runs/none",
        "/runs?limit=x&status=no",
    ):
        answer = admin.get(path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8", path
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'"), path
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["referrer-policy"] == "same-origin", path


def test_what_cannot_be_shown_says_why_as_a_page(admin: httpx.Client) -> None:
    for path, status, words in (
        ("/runs/none", 404, "No run none."),
        ("/tasks/none", 404, "No task none"),
        ("/runs?status=odd", 422, "This address cannot be understood."),
        ("/runs?cursor=odd", 422, "cursor"),
        ("/runs/%00", 422, "This address cannot be understood."),
    ):
        answer = admin.get(path)
        assert answer.status_code == status, path
        assert words.lower() in answer.text.lower(), path


def test_what_a_page_says_after_a_form_is_chosen_from_a_list(admin: httpx.Client) -> None:
    assert "Rejected." in admin.get("/tasks?said=rejected").text
    assert "evil" not in admin.get("/tasks?said=evil").text


FOREIGN = ({"origin": "https://elsewhere.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"})


def test_a_form_of_another_site_does_nothing(served: Served) -> None:
    task_id = task(served)
    with served.client(None) as browser:
        assert browser.post("/login", data={"token": ADMIN}).status_code == 303
        for foreign in FOREIGN:
            assert browser.post(f"/ui/tasks/{task_id}/approve", headers={**FORM, **foreign}).status_code == 403, foreign
        assert served.app.tasks.show(task_id)["status"] == "pending"
        own = {"origin": served.url, "sec-fetch-site": "same-origin"}
        done = browser.post(f"/ui/tasks/{task_id}/reject", data={"reason": "no"}, headers=own)
        assert (done.status_code, done.headers["location"]) == (303, f"/tasks/{task_id}?said=rejected")


def test_a_user_decides_about_no_task_and_sees_only_their_own(served: Served, ann: httpx.Client) -> None:
    hers, other = task(served, "ann"), task(served)
    page = ann.get(f"/tasks/{hers}").text
    assert "The operator decides about tasks." in page
    assert "/ui/tasks" not in page
    assert ann.post(f"/ui/tasks/{hers}/approve", headers=FORM).status_code == 403
    assert ann.get(f"/tasks/{other}").status_code == 404
    listed = ann.get("/tasks").text
    assert hers in listed
    assert other not in listed


def test_a_user_sees_and_steers_no_run_of_another(served: Served, ann: httpx.Client) -> None:
    other = served.run()
    assert ann.get(f"/runs/{other}").status_code == 404
    assert other not in ann.get("/runs").text + ann.get("/").text
    for verb in ("pause", "resume", "abort", "budget"):
        assert ann.post(f"/ui/runs/{other}/{verb}", data={"tokens": "5"}).status_code == 404, verb
    assert served.app.runs.inspect(other)["status"] == "queued"


def test_a_task_that_waits_for_a_persons_eye_says_so_and_leads_to_its_document(admin: httpx.Client, served: Served) -> None:
    criteria = [{"id": "c1", "text": "Written for children."}]
    new = NewTask(source="http", request_text="How do leases work?", task_spec={"corpus": "docs"}, acceptance_criteria=criteria)
    task_id = served.app.tasks.create(new).task["task_id"]
    assert admin.post(f"/ui/tasks/{task_id}/approve").headers["location"] == f"/tasks/{task_id}?said=approved"
    run_id = served.app.tasks.show(task_id)["run_id"]
    assert "Delivered" not in admin.get(f"/tasks/{task_id}").text
    file = served.artifact(run_id, "deliverable.md", "text/markdown", b"# Leases")
    served.end(run_id)
    served.app.tasks.report_pending()
    page = html.fromstring(admin.get(f"/tasks/{task_id}").text)
    (done,) = page.xpath("//*[@id='done']")
    assert " ".join(done.text_content().split()).startswith("Delivered")
    (link,) = done.xpath(".//a")
    assert link.get("href") == f"/runs/{run_id}/files/{file}"
    assert admin.get(link.get("href")).content == b"# Leases"
    text = " ".join(page.text_content().split())
    for words in ("to review", "left to a person by critic", "c1Nothing measures this", "not measured: look yourself"):
        assert words in text, words
    assert "read the document, then say" in " ".join(page.xpath("//*[@id='decide']")[0].text_content().split())
    assert task_id in admin.get("/").text
    assert admin.post(f"/ui/tasks/{task_id}/approve").headers["location"] == f"/tasks/{task_id}?said=accepted"
    by = served.app.tasks.show(task_id)["decision"]["by"]
    assert f"approved by {by}" in text
    assert "none yet on the result" in text
    closed = " ".join(html.fromstring(admin.get(f"/tasks/{task_id}").text).text_content().split())
    for words in (f" approved by {by}", f" result accepted by {by}", f"left to a person by critic result accepted by {by}"):
        assert words in closed, words
    assert "none yet" not in closed
    assert "to review" not in closed
    assert "look yourself" not in closed
    assert "Delivered" in closed
    assert len(served.app.runs.page().items) == 1


def test_a_task_that_lacks_a_corpus_waits_for_a_person_until_one_is_named(admin: httpx.Client, served: Served) -> None:
    task_id = served.app.tasks.create(NewTask(source="telegram", request_text="How do leases work?")).task["task_id"]
    assert admin.post(f"/ui/tasks/{task_id}/approve").headers["location"] == f"/tasks/{task_id}?said=stuck"
    for path in ("/", "/tasks", f"/tasks/{task_id}"):
        page = html.fromstring(admin.get(path).text)
        words = " ".join(page.text_content().split())
        assert "cannot start" in words, path
        assert "Nothing waits for a decision" not in words
    assert f"autonomy tasks corpus {task_id[:12]} DIR" in words
    (form,) = page.xpath("//form[contains(@action, '/corpus')]")
    assert form.xpath(".//option/text()") == ["docs"]
    with served.client(served.token("ann")) as ann:
        assert ann.post(form.get("action"), data={"corpus": "docs"}).status_code == 403
    assert admin.post(form.get("action"), data={"corpus": "other"}).status_code == 422
    assert admin.post(form.get("action"), data={}, headers=FORM).status_code == 422
    assert admin.post(form.get("action"), data={"corpus": "docs"}).headers["location"] == f"/tasks/{task_id}?said=corpus"
    after = admin.get(f"/tasks/{task_id}").text
    assert "cannot start" not in after
    assert "/ui/tasks/" not in after
    assert "Nothing waits for a decision" in admin.get("/").text
    assert len(served.app.runs.page().items) == 1


def test_a_decision_that_was_made_already_is_refused_with_its_name(admin: httpx.Client, served: Served) -> None:
    task_id = task(served)
    assert admin.post(f"/ui/tasks/{task_id}/reject", data={"reason": "no"}).status_code == 303
    again = admin.post(f"/ui/tasks/{task_id}/reject", data={"reason": "no"})
    assert again.status_code == 409
    assert "rejected already" in again.text


def test_a_rejection_needs_its_reason(admin: httpx.Client, served: Served) -> None:
    task_id = task(served)
    for data in ({}, {"reason": "  "}):
        assert admin.post(f"/ui/tasks/{task_id}/reject", data=data, headers=FORM).status_code == 422
    assert served.app.tasks.show(task_id)["status"] == "pending"


UNREAL = (b"reason=%ff", b"\xff\xfe", b"&".join(b"a%d=1" % n for n in range(50)), b"reason=%00")


def test_a_form_that_no_browser_sends_changes_nothing(admin: httpx.Client, served: Served) -> None:
    task_id = task(served)
    for body in UNREAL:
        assert admin.post(f"/ui/tasks/{task_id}/reject", content=body, headers=FORM).status_code == 422, body
    assert served.app.tasks.show(task_id)["status"] == "pending"


def test_only_forms_may_be_sent_as_forms(admin: httpx.Client, served: Served) -> None:
    answer = admin.post(f"/api/v2/runs/{served.run()}/pause", content=b"a=1", headers=FORM)
    assert answer.status_code == 415


FILES = (
    ("page.html", "text/html; charset=utf-8", "text/plain; charset=utf-8", "inline"),
    ("picture.svg", "image/svg+xml", "text/plain; charset=utf-8", "inline"),
    ("data.json", "application/json", "text/plain; charset=utf-8", "inline"),
    ("paper.pdf", "application/pdf", "application/octet-stream", "attachment"),
)


def test_a_file_is_never_shown_as_a_page_of_ours(admin: httpx.Client, served: Served) -> None:
    run_id = served.run()
    for name, media_type, shown, how in FILES:
        path = f"/runs/{run_id}/files/{served.artifact(run_id, name, media_type, b'<script>alert(1)</script>')}"
        answer = admin.get(path)
        assert answer.content == b"<script>alert(1)</script>"
        assert answer.headers["content-type"] == shown
        assert answer.headers["content-disposition"] == f'{how}; filename="{name}"'
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
        (served.app.home / "artifacts" / run_id / name).write_bytes(b"other")
        assert admin.get(path).status_code == 422


def test_a_story_goes_back_page_by_page_without_a_hole(admin: httpx.Client, served: Served) -> None:
    run_id = served.run()
    served.tell(run_id, 200, route="act", why="because")
    path, seen = f"/runs/{run_id}?show=everything", list[int]()
    while path:
        text = admin.get(path).text
        seen += [int(part.partition('"')[0]) for part in text.split('id="e')[1:]]
        _, found, rest = text.partition("?show=everything&amp;before=")
        path = f"/runs/{run_id}?show=everything&before={rest.partition(chr(34))[0]}" if found else ""
    assert seen == list(range(201, 0, -1))


def test_style_and_script_are_kept_and_nothing_else_is_there(served: Served) -> None:
    with served.client(None) as stranger:
        for name, kind in (("app.css", "text/css"), ("app.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
            answer = stranger.get(f"/static/{name}")
            assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
            assert "immutable" in answer.headers["cache-control"]
        for name in ("../render.py", "%2e%2e/render.py", "app.jsx", ""):
            assert stranger.get(f"/static/{name}").status_code in (401, 404, 422), name


def test_the_pages_are_no_part_of_the_described_api(admin: httpx.Client) -> None:
    paths = admin.get("/openapi.json").json()["paths"]
    assert not [path for path in paths if path == "/" or path.startswith(("/ui", "/static", "/runs", "/tasks", "/memory"))]
