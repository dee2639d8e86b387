"""Speed, cost and size of issuing one invoice, always beside two references and in one run (`python -m benchmarks`)."""
