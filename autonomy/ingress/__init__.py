"""Bytes from GitHub and Telegram, checked and turned into commands; knows no web framework."""
