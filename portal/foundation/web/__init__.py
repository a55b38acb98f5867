"""HTTP: policies, lists, forms, errors, headers, API conventions."""
