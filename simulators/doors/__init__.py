"""Dock doors as a radio sees them: loads, people and goods at rest around them, for recordings with their truth."""
