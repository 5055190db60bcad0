"""From a line on a card statement to a ticker: clean, known, match, ask, decide, apply. Plain functions over data."""
