"""Every figure of the book, one function each. A function returns a Figure and shows nothing itself.

Class colours are `cells.CELLS`'; axes carry units; counts are printed where there is room for them.
"""

from .data import batches, class_counts, image_levels, montage
from .evaluation import accuracies, confusion_matrix, decision_map, fold_accuracies, mean_rates, per_class_rates, votes
from .maps import feature_maps, heat_maps, map_pairs

__all__ = [
    "accuracies",
    "batches",
    "class_counts",
    "confusion_matrix",
    "decision_map",
    "feature_maps",
    "fold_accuracies",
    "heat_maps",
    "image_levels",
    "map_pairs",
    "mean_rates",
    "montage",
    "per_class_rates",
    "votes",
]
