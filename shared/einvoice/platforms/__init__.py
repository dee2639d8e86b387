"""Shop platforms (電商平台): one folder each, with the same files; everything they share stands beside them."""
