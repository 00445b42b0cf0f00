"""What every route shares: the gate, headers, limits, envelope, parsing and field types."""
