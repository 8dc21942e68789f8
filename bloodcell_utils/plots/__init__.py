"""Every figure of the book, one function each. A function returns a Figure and shows nothing itself.

Class colours are `cells.CELLS`'; axes carry units; counts are printed where there is room for them.
"""

from .data import batches, class_counts, image_levels, montage
from .evaluation import accuracies, confusion_matrix, decision_map, fold_accuracies, mean_rates, per_class_rates, votes
from .grids import accuracy_grid, best_of_many, grid_curves

__all__ = [
    "accuracies",
    "accuracy_grid",
    "batches",
    "best_of_many",
    "class_counts",
    "confusion_matrix",
    "decision_map",
    "fold_accuracies",
    "grid_curves",
    "image_levels",
    "mean_rates",
    "montage",
    "per_class_rates",
    "votes",
]
