"""Benchmarks: ratios in one run, what is compared taken in turns. Run by hand with `make bench`."""
