"""Pictures of synthetic people with exact labels, rendered on one core from a 3D face model.

A `Person` says who (shape, skin, hair, clothes), a `View` says how (pose, expression, gaze, light, background);
`render` turns both into a picture, a segmentation and labels. Nothing of the demo needs this package.
"""
