"""Graph nodes, the roles they ask, and the two players of each role (extractive and model)."""
