"""Searches for the parameters of a method, on training images held out."""
