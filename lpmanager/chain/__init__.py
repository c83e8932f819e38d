"""The chain as this program sees it: transports, typed reads, the snapshot reader."""
