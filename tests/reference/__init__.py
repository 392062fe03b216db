"""Plain implementations that the fast ones of the package are compared with."""
