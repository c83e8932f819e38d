"""One adapter per DEX: how to read it and how to call it."""
