"""Helpers for a hands-on course in hematology AI. Read a room (a folder) at a time; its `__init__` says what is in it.

==================  ==================================================================  =====================
``cells``           the eight kinds of cells, their order and colours                   every chapter
``paper``           what Acevedo et al. 2019 printed                                    every chapter
``config``          profiles, seeds, folders; ``errors``, exceptions; ``files``, safe writes  every chapter
``datasets``        images: found, audited, split, loaded, augmented, drawn             00 to 03
``models``          VGG-16, Inception-v3, CompactNet; features; the SVM                 03 to 06, 12
``training``        a fit that can be interrupted; the cached prefix                    06, 07, 12
``evaluation``      metrics, calibration, explanations, error analysis, `predict`       08 to 18
``plots``           every figure, one function each                                     every chapter
``experiments``     ``run(profile)`` gives a record: every recorded number              05 to 16
``interactive``     what moves: sliders, explorers, the cell builder                    02, 05, 06, 08 to 17
``course``          chapters, quizzes, checks, progress, the capstone                   every chapter, 18
``reproduction``    the paper item by item: printed, measured, verdict                  the reproduction page
``cli``             the command ``bloodcell``                                           –
==================  ==================================================================  =====================

A room imports from those above it in this table (`pyproject.toml`, import-linter). Importing the package is cheap:
TensorFlow loads when a network is built.
"""

import os

import lazy_loader

# TensorFlow reads both when it is first imported, by this package or in a reader's own cell: no remarks, and oneDNN on
# processors without AVX-512 as well, where it trains more than twice as fast.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

__version__ = "0.1.0"

__getattr__, __dir__, _ = lazy_loader.attach(__name__, submod_attrs={"evaluation": ["predict"]})
