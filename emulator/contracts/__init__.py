"""The contract of each provider's wire, as data, and answers held against it."""
