"""One module an engine, each run in a process of its own; `v3_sdk.js` is run by node."""
