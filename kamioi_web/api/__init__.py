"""The JSON API: the same query functions as the pages, in the shapes that the old clients read."""
