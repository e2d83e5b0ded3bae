"""Schedules and their gauges."""
