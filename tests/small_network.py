"""A network that is small enough for every test."""

from bloodcell_utils.models.runtime import load_keras


def network(head="average", dtype="float32", dropout=0.0):
    """Small and random: two convolutions, a pooling, and a head over three classes."""
    keras = load_keras()
    layers, before = keras.layers, keras.config.dtype_policy()
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy(dtype)
    try:
        x = images = keras.Input((16, 16, 3))
        x = layers.Rescaling(1 / 255)(x)
        x = layers.Conv2D(6, 3, padding="same", activation="relu", name="first")(x)
        x = layers.MaxPooling2D(name="pool")(x)
        x = layers.Conv2D(5, 3, padding="same", activation="relu", name="second")(x)
        x = layers.MaxPooling2D(name="last_pool")(x)
        x = layers.GlobalAveragePooling2D()(x) if head == "average" else layers.Flatten()(x)
        x = layers.Dropout(dropout)(x)
        return keras.Model(images, layers.Dense(3, activation="softmax", dtype="float32")(x))
    finally:
        keras.config.set_dtype_policy(before)
