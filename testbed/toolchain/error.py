"""What goes wrong with programs, in words for people."""

from __future__ import annotations


class ToolchainError(Exception):
    """A program cannot be had; the message says which, why and what to do."""


class ProgramMissingError(ToolchainError):
    """A program that is built here has not been built yet, or its copy is damaged."""
