"""Servers that behave like the value-added centres (加值中心), for tests and for local runs."""
