"""The figures for Prometheus that are counted from the tables."""

from __future__ import annotations

from autonomy.api.metrics import Requests, Streams, page, registry
from autonomy.services.figures import figures
from autonomy.storage.database import Database
from tests.services.test_figures import ended


def scraped(database: Database) -> str:
    return page(registry(Requests(), Streams(), lambda: figures(database))).decode()


def test_what_ended_runs_did_is_scraped_with_few_labels(database: Database) -> None:
    ended(database, "a", "delivered", last=9, usd=0.5, similar=(34.0, 11.0, 9.0, 8.0), attempts=(3,))
    ended(database, "b", "failed", last=1)
    text = scraped(database)
    for line in (
        'autonomy_success_rate{journey="write"} 0.5',
        'autonomy_cost_per_delivered_usd{journey="write"} 0.5',
        'autonomy_run_iterations_total{journey="write",outcome="delivered"} 10.0',
        'autonomy_run_worked_seconds_total{journey="write",outcome="failed"} 1.5',
        'autonomy_runs_unpriced_total{journey="write",outcome="failed"} 0.0',
        'autonomy_similarity_percent_count{cycle="3"} 1.0',
        'autonomy_similarity_percent_sum{cycle="1"} 34.0',
        'autonomy_call_retries_total{kind="model"} 2.0',
    ):
        assert line in text.splitlines(), line
    assert 'cycle="4"' not in text


def test_what_is_not_known_is_not_scraped(database: Database) -> None:
    text = scraped(database)
    for name in ("autonomy_success_rate", "autonomy_cost_per_delivered_usd", "autonomy_similarity_percent"):
        assert f"# TYPE {name} " in text
        assert f"\n{name}{{" not in text
        assert f"\n{name}_sum" not in text
    ended(database, "a", "delivered", unpriced=1)
    ended(database, "b", "failed", journey="research", usd=1.0)
    assert "autonomy_cost_per_delivered_usd{" not in scraped(database)
    assert 'autonomy_success_rate{journey="research"} 0.0' in scraped(database).splitlines()
