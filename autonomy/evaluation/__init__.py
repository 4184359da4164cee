"""Evaluations: tasks with rules for passing, played against a scripted outside world."""
