"""What CompactNet is given and makes of it first: sizes and levels, for Keras and for what answers without it."""

IMAGE = 128  # side in pixels of the images that it is given: 360 of the original
VIEW = 96  # side of their centre, which it looks at
MEAN, SCALE = 180.0, 50.0  # levels of a blood smear
BACKGROUND = 230.0  # level of the brightest patch, the empty glass, after white balance
PATCH = 8  # side of the patches in pixels
