"""EasyStore: orders of one shop ``*.easy.co`` through its API 3.0 and its webhooks."""
