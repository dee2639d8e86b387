"""Value-added centres (加值中心): one folder per vendor, one protocol for all."""
