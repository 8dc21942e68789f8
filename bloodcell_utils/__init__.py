"""Helpers for a hands-on course in hematology AI.

The package is read from the bottom up: the eight cells (`cells`), what the paper printed (`paper`), where things are
(`config`); the data (`datasets`, `augment`); networks, features and metrics; experiments and their records; figures;
the command line. Importing it is cheap: TensorFlow loads when a network is built.
"""

__version__ = "0.1.0"


def __getattr__(name):
    """`predict`, loaded when it is asked for."""
    if name == "predict":
        from importlib import import_module

        return import_module(".reader", __name__).predict
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
