"""System calls as Linux defines them: numbers, arguments, memory, descriptors."""
