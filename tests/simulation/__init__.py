"""Deterministic simulation (確定性模擬): the product's own operations in virtual time, one seed, one schedule."""
