"""The version of Foyer, said in one place."""

VERSION = "0.1.0"
