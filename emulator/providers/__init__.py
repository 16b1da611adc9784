"""The providers. Each is a module of pure functions that ends in a table; none imports another."""
