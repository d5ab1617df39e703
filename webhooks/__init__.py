"""Notices to receivers outside: CloudEvents over HTTP, signed as Standard Webhooks says."""
