"""Helpers for a hands-on course in hematology AI.

The package is read from the bottom up: the eight cells (`cells`), what the paper printed (`paper`), where things are
(`config`); the data (`datasets`, `augment`); networks, features and metrics; experiments and their records; figures;
the command line. Importing it is cheap: TensorFlow loads when a network is built.
"""

__version__ = "0.1.0"
