"""Sessions: cookies, the rows behind them, browsers that are known, and what ends when the way in changes."""
