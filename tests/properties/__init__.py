"""What is true of every history, walked or drawn."""
