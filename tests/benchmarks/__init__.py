"""The figures of the project, measured side by side in one run: python -m tests.benchmarks (make bench)."""
