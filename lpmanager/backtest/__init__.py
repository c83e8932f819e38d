"""Recorded markets: read from files, and replayed."""
