"""The Transactions page in a real browser."""
