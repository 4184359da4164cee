"""The command line: parse, ask a service, show the answer. No logic."""
