"""Commands to learn by: worksheets, quizzes, cards."""
