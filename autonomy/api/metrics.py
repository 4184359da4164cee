"""Figures for Prometheus: requests and streams as this process counts them, runs and money as the tables say.

Requests are counted in plain dictionaries (one event loop, no lock) and turned into samples when somebody scrapes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper bounds in seconds."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Requests:
    """Answers by route, method and status, and how long they took. A stream's time is its life and is left out."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str, int]] = Counter()
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def count(self, scope: Any, status: int, seconds: float) -> None:
        """One answer."""
        route = scope.get("route")
        self.answers[getattr(route, "path", "other"), scope["method"], status] += 1
        if "autonomy.stream" not in scope:
            self.buckets[bisect_left(BUCKETS, seconds)] += 1
            self.seconds += seconds


class Streams:
    """Readers that are there now, and what they were sent."""

    def __init__(self) -> None:
        self.open: Counter[str] = Counter()
        self.by_user: Counter[str] = Counter()
        self.opened = 0
        self.events = 0
        self.refused = 0


class Collected(Collector):
    """Everything that is scraped; `figures` reads the tables."""

    def __init__(self, requests: Requests, streams: Streams, figures: Callable[[], dict[str, Any]]) -> None:
        self._requests = requests
        self._streams = streams
        self._figures = figures

    def collect(self) -> Iterator[Any]:
        """All families."""
        yield from self._of_requests()
        yield from self._of_streams()
        yield from _of_tables(self._figures())

    def _of_requests(self) -> Iterator[Any]:
        answers = CounterMetricFamily("autonomy_http_requests", "Answers.", labels=["route", "method", "status"])
        for (route, method, status), count in list(self._requests.answers.items()):
            answers.add_metric([route, method, str(status)], count)
        yield answers
        total, samples = 0, []
        for bound, count in zip([*map(str, BUCKETS), "+Inf"], self._requests.buckets, strict=True):
            total += count
            samples.append((bound, total))
        times = HistogramMetricFamily("autonomy_http_request_seconds", "Time to answer, streams left out.")
        times.add_metric([], samples, self._requests.seconds)
        yield times

    def _of_streams(self) -> Iterator[Any]:
        readers = GaugeMetricFamily("autonomy_streams", "Stream readers now.", labels=["stream"])
        for stream, count in list(self._streams.open.items()):
            readers.add_metric([stream], count)
        yield readers
        yield CounterMetricFamily("autonomy_streams_opened", "Streams opened.", value=self._streams.opened)
        yield CounterMetricFamily("autonomy_streams_refused", "Streams refused for their number.", value=self._streams.refused)
        yield CounterMetricFamily("autonomy_stream_events", "Events sent to stream readers.", value=self._streams.events)


def _of_tables(figures: dict[str, Any]) -> Iterator[Any]:
    runs = GaugeMetricFamily("autonomy_runs", "Runs by status.", labels=["status"])
    for status, count in figures["runs"].items():
        runs.add_metric([status], count)
    yield runs
    yield from _of_ended(figures)
    jobs = GaugeMetricFamily("autonomy_jobs", "Jobs that are not finished, by state: the depth of the queue.", labels=["state"])
    for state, count in figures["jobs"].items():
        jobs.add_metric([state], count)
    yield jobs
    yield CounterMetricFamily("autonomy_events", "Events written.", value=figures["events"])
    calls = CounterMetricFamily("autonomy_calls", "Outside calls.", labels=["kind", "state"])
    attempts = CounterMetricFamily("autonomy_call_attempts", "Requests of outside calls, retries included.", labels=["kind"])
    retries = CounterMetricFamily("autonomy_call_retries", "Requests of outside calls beyond the first.", labels=["kind"])
    tokens = CounterMetricFamily("autonomy_tokens", "Tokens.", labels=["direction"])
    for row in figures["calls"]:
        calls.add_metric([row["kind"], row["state"]], row["calls"])
    for kind, count in figures["attempts"].items():
        attempts.add_metric([kind], count)
    for kind, count in figures["retries"].items():
        retries.add_metric([kind], count)
    for direction, count in figures["tokens"].items():
        tokens.add_metric([direction], count)
    yield from (calls, attempts, retries, tokens)
    yield CounterMetricFamily("autonomy_cost_usd", "US dollars of all outside calls.", value=figures["usd"])


def _of_ended(figures: dict[str, Any]) -> Iterator[Any]:
    """What became of runs. A journey without an ended run has no rate, one with a price unknown no cost per document."""
    by_outcome = ["journey", "outcome"]
    sums = {
        "runs": CounterMetricFamily("autonomy_runs_ended", "Ended runs by journey and outcome.", labels=by_outcome),
        "seconds": CounterMetricFamily("autonomy_run_seconds", "Seconds from request to end.", labels=by_outcome),
        "worked_seconds": CounterMetricFamily("autonomy_run_worked_seconds", "Seconds of work.", labels=by_outcome),
        "iterations": CounterMetricFamily(
            "autonomy_run_iterations", "Steps of the graph, to the last judged.", labels=by_outcome
        ),
        "usd": CounterMetricFamily("autonomy_run_cost_usd", "US dollars of ended runs, as far as known.", labels=by_outcome),
        "unpriced": CounterMetricFamily("autonomy_runs_unpriced", "Ended runs whose cost is not known.", labels=by_outcome),
    }
    journeys: dict[str, Counter[str]] = {}
    for row in figures["ended"]:
        for name, family in sums.items():
            family.add_metric([row["journey"], row["outcome"]], row[name])
        journeys.setdefault(row["journey"], Counter()).update(
            runs=row["runs"], usd=row["usd"], unpriced=row["unpriced"], delivered=row["runs"] * (row["outcome"] == "delivered")
        )
    yield from sums.values()
    rate = GaugeMetricFamily("autonomy_success_rate", "Share of ended runs that delivered.", labels=["journey"])
    cost = GaugeMetricFamily(
        "autonomy_cost_per_delivered_usd", "US dollars of all ended runs by those that delivered.", labels=["journey"]
    )
    for journey, total in journeys.items():
        rate.add_metric([journey], total["delivered"] / total["runs"])
        if total["delivered"] and not total["unpriced"]:
            cost.add_metric([journey], total["usd"] / total["delivered"])
    yield from (rate, cost)
    similarity = SummaryMetricFamily(
        "autonomy_similarity_percent", "Similarity by a run's first three reports.", labels=["cycle"]
    )
    for cycle, came, percent in figures["reports"]:
        similarity.add_metric([cycle], count_value=came, sum_value=percent)
    yield similarity


def registry(requests: Requests, streams: Streams, figures: Callable[[], dict[str, Any]]) -> CollectorRegistry:
    """A registry of our own: nothing of the process's default one is shown."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Collected(requests, streams, figures))
    return made


def page(made: CollectorRegistry) -> bytes:
    """What a scraper is sent."""
    return generate_latest(made)
