"""The run of one compiled strategy, told from its log of moves."""
