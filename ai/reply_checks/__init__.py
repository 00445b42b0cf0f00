"""What a reply of the model must pass before a customer reads it: no foreign links, numbers, pleas or promises."""
