"""Every figure of the book, one function each. A function returns a Figure and shows nothing itself.

Class colours are `cells.CELLS`'; axes carry units; counts are printed where there is room for them.
"""

from .data import batches, class_counts, image_levels, montage
from .errors import maturation, shared_mistakes, subtype_errors
from .evaluation import (
    accuracies,
    confusion_matrices,
    confusion_matrix,
    decision_map,
    fold_accuracies,
    mean_rates,
    per_class_rates,
    votes,
)

__all__ = [
    "accuracies",
    "batches",
    "class_counts",
    "confusion_matrices",
    "confusion_matrix",
    "decision_map",
    "fold_accuracies",
    "image_levels",
    "maturation",
    "mean_rates",
    "montage",
    "per_class_rates",
    "shared_mistakes",
    "subtype_errors",
    "votes",
]
