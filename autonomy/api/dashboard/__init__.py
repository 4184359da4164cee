"""The operator's view in a browser: pages made on the server, small scripts and styles of our own, no build step."""
