"""What calls and packets say of each other: sends, segments and reads of the same bytes."""
