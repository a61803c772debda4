"""What a person writes: topologies, programs, scenarios and claims, as plain values."""
