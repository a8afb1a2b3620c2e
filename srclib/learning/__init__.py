"""Networks, how they are trained, and the methods against forgetting."""
