"""Doing what was decided: calldata, simulation, signing, sending, and what came of it."""
