"""What a person or a machine may ask for: the same objects for the command line and the web, one transaction each."""
