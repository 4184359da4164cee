"""Similarity reports: the waits for them (a state machine), and what is read from them."""
