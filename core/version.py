"""The version of Foyer."""

VERSION = "0.1.0"
