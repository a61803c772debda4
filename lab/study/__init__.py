"""What is learnt from recorded runs: questions that they answer, worksheets, cards."""
