"""Applications of warm-transfer, whole and runnable; what each shows stands in README.md."""
