"""Every figure of the book, one function each. A function returns a Figure and shows nothing itself.

Class colours are `cells.CELLS`'; axes carry units; counts are printed where there is room for them.

``data``             the images: montages, counts, batches, levels (the paper's Fig. 1)
``filters``          convolution, pooling, softmax, one feature by class (Figs. 4, 5)
``networks``         layers, modules, receptive fields, trained blocks, two roads (Figs. 3, 8, 9)
``training``         loss and accuracy over epochs (Fig. 10), trainings in other proportions (Figs. 17, 18)
``evaluation``       confusion matrices (Figs. 11, 12), rates (Figs. 13, 14), accuracies, decision borders, corruptions
``grids``            images a class against trained blocks (Table 3)
``maps``             feature maps (Fig. 15) and heat maps
``errors``           mistakes by sub-type, stages, scorecards (Fig. 16)
``counterfactuals``  film strips and effects of changed cells; drawn cells beside real ones
``rules``            questions of a rule in turn, and where each answer leads
``style``            what all figures share
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs={
    "counterfactuals": ["drawn_and_real", "effects", "film_strip"],
    "data": ["batches", "class_counts", "cuts", "image_levels", "montage"],
    "errors": ["maturation", "scorecard", "shared_mistakes", "subtype_errors"],
    "evaluation": ["accuracies", "confusion_matrices", "confusion_matrix", "corruptions", "coverage_risk",
                   "fold_accuracies", "mean_rates", "per_class_rates", "printed_rates", "reliability", "roc_curves",
                   "shares", "votes"],
    "filters": ["feature_by_class", "responses", "shifts", "sliding", "softmax", "tuning"],
    "grids": ["accuracy_grid", "best_of_many", "grid_curves"],
    "maps": ["feature_maps", "heat_maps", "map_pairs"],
    "networks": ["modules", "network", "receptive_fields", "trained_blocks", "two_roads", "weights_and_work"],
    "rules": ["decisions"],
    "training": ["arm_curves", "arm_rates", "arm_scores", "descents", "few_images", "learning_curves",
                 "wrong_names"],
})  # fmt: skip
