"""Similarity reports: the waits for them, what is read from them, and what of a draft they flag."""
