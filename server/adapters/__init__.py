"""PostgreSQL, keys and clocks: what use cases and jobs reach the world by."""
