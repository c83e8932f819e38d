"""Recorded and generated markets, as columns."""
