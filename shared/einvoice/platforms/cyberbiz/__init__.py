"""CYBERBIZ: orders of one shop through its App Store API and its webhooks."""
