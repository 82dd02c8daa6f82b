"""What a person writes for a new container: text field by field, read into a recipe. Asks no engine."""
