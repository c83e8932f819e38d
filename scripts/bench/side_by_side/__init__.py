"""What `scripts/bench/engines.py` needs to run every swap engine side by side."""
