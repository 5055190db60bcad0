"""Reviewing proposals: the queue, the decisions and what they bring about, and how the proposals fared."""
