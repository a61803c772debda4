"""Worksheets and cards, written."""
