"""Runs tasks: select, isolate, time out, journal, resume."""
