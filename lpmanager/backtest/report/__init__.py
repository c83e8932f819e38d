"""What a backtest yields, measured and told."""
