"""What became of submissions, for teachers, students and the services they use."""
