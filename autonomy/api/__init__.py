"""The web API, its streams and the dashboard."""
