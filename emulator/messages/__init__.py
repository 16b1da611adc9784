"""What the control API sends: values that the server encodes, the Python client decodes and OpenAPI describes."""
