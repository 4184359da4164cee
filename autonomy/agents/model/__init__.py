"""The model's player: each role one file, each answer checked, and evidence pointed at by id alone."""

from autonomy.agents.model.player import ModelPlayer

__all__ = ["ModelPlayer"]
