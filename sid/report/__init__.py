"""Tables, figures and one HTML page from the records and the verdicts."""
