"""The one search box: what is typed, what it finds, and what it offers while one types."""
