"""What the leader of the core does: feed, publisher, clocks, engines, figures."""
