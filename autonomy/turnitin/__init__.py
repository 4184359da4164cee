"""Similarity reports that people bring back."""
