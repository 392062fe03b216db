"""What the photo itself lends to a result."""
