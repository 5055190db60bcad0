"""Opening any place of a very large table at the cost of opening its first page."""
