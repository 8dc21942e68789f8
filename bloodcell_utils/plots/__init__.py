"""Every figure of the book, one function each. A function returns a Figure and shows nothing itself.

Class colours are `cells.CELLS`'; axes carry units; counts are printed where there is room for them.
"""

from .balance import arm_rates, arm_scores
from .compact import few_images, worse_days
from .counterfactuals import drawn_and_real, effects, film_strip
from .data import batches, class_counts, image_levels, montage
from .errors import maturation, scorecard, shared_mistakes, subtype_errors
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
from .filters import feature_by_class, kernel_step, responses, shifts, sliding, softmax, tuning
from .grids import accuracy_grid, best_of_many, grid_curves
from .maps import feature_maps, heat_maps, map_pairs
from .networks import modules, network, receptive_fields, trained_blocks, weights_and_work
from .training import descents, learning_curves

__all__ = [
    "accuracies",
    "accuracy_grid",
    "arm_rates",
    "arm_scores",
    "batches",
    "best_of_many",
    "class_counts",
    "confusion_matrices",
    "confusion_matrix",
    "decision_map",
    "descents",
    "drawn_and_real",
    "effects",
    "feature_by_class",
    "feature_maps",
    "few_images",
    "film_strip",
    "fold_accuracies",
    "grid_curves",
    "heat_maps",
    "image_levels",
    "kernel_step",
    "learning_curves",
    "map_pairs",
    "maturation",
    "mean_rates",
    "modules",
    "montage",
    "network",
    "per_class_rates",
    "receptive_fields",
    "responses",
    "scorecard",
    "shared_mistakes",
    "shifts",
    "sliding",
    "softmax",
    "subtype_errors",
    "trained_blocks",
    "tuning",
    "votes",
    "weights_and_work",
    "worse_days",
]
