"""Valkey with Sentinel across regions, as the testbed sees it."""
